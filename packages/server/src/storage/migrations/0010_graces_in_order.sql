-- Rotations under way are gone through in the order of their ends, a page at a time, and many end in the same instant.
drop index key_versions_in_grace;
create index key_versions_in_grace on key_versions (shard, retires_at, key_id) where state = 'grace';
