-- What few keys have (when their holder is asked to renew, what they hang on), and the parts of a keyspace's policy that
-- most leave as they are. Null for nearly all rows, and then they take no space; added without a default, so that no
-- row is rewritten.
alter table keys add column traits jsonb;
alter table keyspaces add column rules jsonb;

-- Things that are neither keys nor what keys live in, but have to be written in the same transaction: campaigns,
-- approvals, webhooks, signing keys, and what the house notes for itself. `body` is the room's own business; `state` in
-- it, where there is one, can be asked for. The kind is the one in the id's name.
create table documents (
  shard smallint not null,
  id uuid not null,
  kind text not null constraint documents_kind_known check (kind in ('camp', 'appr', 'wh', 'sk', 'note')),
  workspace_id uuid not null,
  body jsonb not null,
  created_at timestamptz not null,
  updated_at timestamptz not null,
  revision integer not null,
  constraint documents_pkey primary key (shard, id)
);
create index documents_by_kind on documents (shard, kind, id);
create index documents_by_workspace on documents (shard, workspace_id, kind, id);
create index documents_by_state on documents (shard, kind, (body ->> 'state'), id);
