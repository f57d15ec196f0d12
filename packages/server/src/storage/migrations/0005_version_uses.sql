-- When versions of rotating keys were accepted, as verifiers tell it in batches: the old one while it is in grace, the new
-- one for the first time. What finishing a rotation is decided on. A key that never rotates has no row. The times are
-- about as exact as a second, and of a version that is always in use the last one is at most half a minute old.
create table version_uses (
  shard smallint not null,
  key_id uuid not null,
  number integer not null,
  first_used_at timestamptz not null,
  last_used_at timestamptz not null,
  constraint version_uses_pkey primary key (shard, key_id, number)
) with (fillfactor = 70);

-- The rotations under way. A grace that has run out stays in it until its key changes, so it is read by `retires_at`.
create index key_versions_in_grace on key_versions (shard, retires_at) where state = 'grace';
