-- The keys that a campaign has asked to renew, so that it can count them and find those that are left. Only they are in it.
create index keys_by_campaign on keys (shard, (traits ->> 'campaign'), id) where traits ->> 'campaign' is not null;
