-- What was given for an enrollment key, which stands in the same shard. Of keys that were issued otherwise it has no entry.
create index keys_by_enrollment on keys (shard, (traits ->> 'enrolled_by'), id)
  where traits ->> 'enrolled_by' is not null;
