-- Who may hold a lease, and by which server: what `?wait=effective` goes by (packages/verifier/SPEC.md, rules 11 and
-- 12). One process serves as one relay. All of it is of one shard: it is read as one.
--
-- `heads` is the least that the verifiers which ask this relay may stand at: {"own": …, "ownEnded": …, "workspaces": {"ws_…": …}},
-- each {"epoch", "seqs"} or null where it is unknown. It is written about once a second by each process, so its page is
-- nearly empty. `seen_at` is of the primary's clock, and holds for the relay and for every verifier that it calls active.
create table relay_state (
  shard smallint not null check (shard = 0),
  relay_id text not null,
  name text not null,
  region text,
  heads jsonb not null,
  lease_age_ms double precision,
  seen_at timestamptz not null,
  wanted_at timestamptz,
  constraint relay_state_pkey primary key (shard, relay_id)
) with (fillfactor = 10);

-- One row a verifier and the relay that it asked. An active one has asked of late, and is as old as its relay's row; of
-- one that is not, `seen_at` says when it asked last. `applied` and `lease_age_ms` are refreshed now and then.
create table verifier_state (
  shard smallint not null check (shard = 0),
  relay_id text not null,
  workspace_id uuid not null,
  credential_id uuid not null,
  verifier_id text not null,
  name text not null,
  region text,
  kind text not null constraint verifier_state_kind_known check (kind in ('library', 'node', 'relay')),
  applied jsonb,
  lease_age_ms double precision,
  downstream jsonb not null,
  active boolean not null,
  seen_at timestamptz not null,
  constraint verifier_state_pkey primary key (shard, relay_id, workspace_id, credential_id, verifier_id)
) with (fillfactor = 50);
