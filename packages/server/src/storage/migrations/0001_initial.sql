-- The store of issue, rotate, revoke and verify (design §6).
--
-- Every primary key leads with `shard`, the last byte of the row's id modulo the number of shards, so that an
-- engine that distributes by it keeps a key, its versions, its feed rows and its audit records together. There are
-- no foreign keys, triggers, sequences or notifications: a sequence hands out numbers in another order than
-- commits happen (a reader then loses rows), and a foreign key would lock rows of other shards.
--
-- Ids are made by the server (UUIDv7, or v8 where an id is derived from a name). Times are timestamptz with
-- millisecond precision. Words with a closed meaning are text with a check, not enum types, so that a later
-- migration can widen them in one transaction.

-- What was chosen when the store was made and can't be changed after: one row.
create table settings (
  shard smallint not null check (shard = 0),
  shards smallint not null check (shards in (1, 2, 4, 8, 16, 32, 64, 128, 256)),
  created_at timestamptz not null,
  constraint settings_pkey primary key (shard)
);

create table workspaces (
  shard smallint not null,
  id uuid not null,
  name text not null,
  created_at timestamptz not null,
  constraint workspaces_pkey primary key (shard, id)
);

-- The last byte of a keyspace's id comes from its workspace and name: two keyspaces of one name meet in one
-- shard, which is what makes the unique constraint a global promise.
create table keyspaces (
  shard smallint not null,
  id uuid not null,
  workspace_id uuid not null,
  name text not null,
  prefix text not null,
  format text not null constraint keyspaces_format_known check (format in ('opaque')),
  allowed_scopes text[] not null,
  default_ttl_seconds bigint,
  max_ttl_seconds bigint,
  max_grace_seconds bigint not null,
  lease_seconds integer not null,
  state text not null constraint keyspaces_state_known check (state in ('active', 'suspended')),
  keys_not_before timestamptz,
  created_at timestamptz not null,
  revision integer not null,
  constraint keyspaces_pkey primary key (shard, id),
  constraint keyspaces_name_unique unique (shard, workspace_id, name)
);

-- An owner's id is a hash of its workspace, kind and external id, so the primary key already says that an
-- external id is one owner.
create table owners (
  shard smallint not null,
  id uuid not null,
  workspace_id uuid not null,
  kind text not null constraint owners_kind_known check (kind in ('service', 'integration', 'user')),
  external_id text not null,
  state text not null constraint owners_state_known check (state in ('active', 'suspended')),
  keys_not_before timestamptz,
  created_at timestamptz not null,
  revision integer not null,
  constraint owners_pkey primary key (shard, id)
);
create index owners_by_workspace on owners (shard, workspace_id, id);
create index owners_by_external_id on owners (shard, workspace_id, external_id);

-- A tenth of each page is left free: a change of state touches no indexed column and then stays on its page.
create table keys (
  shard smallint not null,
  id uuid not null,
  workspace_id uuid not null,
  keyspace_id uuid not null,
  owner_id uuid not null,
  name text not null,
  scopes text[] not null,
  metadata jsonb not null,
  state text not null constraint keys_state_known check (state in ('active', 'suspended', 'revoked')),
  not_before timestamptz,
  expires_at timestamptz,
  created_at timestamptz not null,
  revoked_at timestamptz,
  revoke_reason text,
  revision integer not null,
  constraint keys_pkey primary key (shard, id)
) with (fillfactor = 90);
create index keys_by_workspace on keys (shard, workspace_id, id);
create index keys_by_keyspace on keys (shard, keyspace_id, id);
create index keys_by_owner on keys (shard, owner_id, id);

-- All versions stay, so that the fingerprint of a retired secret can never be issued or imported again.
create table key_versions (
  shard smallint not null,
  key_id uuid not null,
  number integer not null,
  fingerprint bytea not null constraint key_versions_fingerprint_length check (octet_length(fingerprint) = 32),
  state text not null constraint key_versions_state_known check (state in ('active', 'grace', 'retired')),
  minted_at timestamptz not null,
  retires_at timestamptz,
  constraint key_versions_pkey primary key (shard, key_id, number),
  constraint key_versions_fingerprint_unique unique (shard, fingerprint)
) with (fillfactor = 90);

-- One row a shard, and the one row that the writers of a shard wait for: whoever holds it hands out the next
-- sequence numbers and commits before anybody else can, so that numbers are gapless and in commit order.
-- `epoch` changes when a store is restored or failed over, and sends every reader to a snapshot.
-- It is updated at every commit, so its pages are nearly empty: the new row version stays beside the old one.
create table feed_heads (
  shard smallint not null check (shard between 0 and 255),
  epoch bigint not null,
  seq bigint not null,
  audit_hash bytea not null constraint feed_heads_audit_hash_length check (octet_length(audit_hash) = 32),
  constraint feed_heads_pkey primary key (shard)
) with (fillfactor = 10);

-- Retention drops whole days. The default partition is the net under a server whose upkeep has not run: a
-- commit never fails for want of a partition.
create table feed (
  shard smallint not null,
  seq bigint not null,
  day date not null,
  at timestamptz not null,
  workspace_id uuid not null,
  type text not null,
  body json not null,
  constraint feed_pkey primary key (shard, seq, day)
) partition by range (day);
create table feed_default partition of feed default;

-- The reply is sealed under a key that only the holder of the Idempotency-Key can derive. Its shard is that of
-- the hash, whatever lane wrote it, so that one key used for two requests is seen wherever they go.
create table idempotency (
  shard smallint not null,
  key_hash bytea not null,
  request_hash bytea not null,
  reply bytea not null,
  expires_at timestamptz not null,
  constraint idempotency_pkey primary key (shard, key_hash)
);
create index idempotency_by_expiry on idempotency (shard, expires_at);

-- One record a change, with the position of its feed row: hash = SHA-256(hash of the record before || body).
-- The body is the very text that was hashed; it repeats the position, so a row that was moved is found out.
create table audit (
  shard smallint not null,
  seq bigint not null,
  body text not null,
  hash bytea not null constraint audit_hash_length check (octet_length(hash) = 32),
  constraint audit_pkey primary key (shard, seq)
);
