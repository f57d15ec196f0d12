-- How far each webhook has been served, in each shard of the feed: the feed is the queue, and this is the place in it.
-- `seq` is written after the consumer has answered, so that a crash delivers again and never skips. One process at a
-- time serves a row: the one that has claimed it, for as long as `claimed_until` is to come. It is written at every
-- page, so a good part of each page is left free.
create table webhook_cursors (
  shard smallint not null,
  webhook_id uuid not null,
  workspace_id uuid not null,
  epoch bigint not null,
  seq bigint not null,
  attempts integer not null,
  failing_since timestamptz,
  retry_at timestamptz,
  claimed_by text,
  claimed_until timestamptz,
  constraint webhook_cursors_pkey primary key (shard, webhook_id)
) with (fillfactor = 50);

-- What was given up: an event that a consumer would not take, a stretch of the feed that was gone before it was
-- delivered, a job that failed at every attempt. `source` is the webhook's id or the job's kind. Kept until it is
-- replayed or discarded.
create table dead_letters (
  shard smallint not null,
  id uuid not null,
  workspace_id uuid not null,
  kind text not null constraint dead_letters_kind_known check (kind in ('event', 'range', 'job')),
  source text not null,
  body json not null,
  reason text not null,
  attempts integer not null,
  died_at timestamptz not null,
  constraint dead_letters_pkey primary key (shard, id)
);
create index dead_letters_by_workspace on dead_letters (shard, workspace_id, id);

-- The sweep goes through keys by the time that they end.
create index keys_by_expiry on keys (shard, expires_at, id) where expires_at is not null;
