import type { Queryable } from '../store.ts';

/*
 * What one relay knows of its verifiers, in one statement: its own row, and the rows of those verifiers of which
 * something has changed. `seen_at` is read from the engine's clock, never moves back, and of a verifier that has
 * gone silent is earlier by how long it has been.
 */

const writeRegistryStatement = {
  name: 'write_registry',
  text: `
    with relay as (
      insert into relay_state (shard, relay_id, name, region, heads, lease_age_ms, seen_at, wanted_at)
      values (0, $1::text, $2::text, $3::text, $4::jsonb, $5::double precision, clock_timestamp(),
        case when $6::boolean then clock_timestamp() end)
      on conflict on constraint relay_state_pkey do update set heads = excluded.heads,
        lease_age_ms = excluded.lease_age_ms, seen_at = greatest(relay_state.seen_at, excluded.seen_at),
        wanted_at = coalesce(excluded.wanted_at, relay_state.wanted_at)
    ), verifiers as (
      insert into verifier_state (shard, relay_id, workspace_id, credential_id, verifier_id, name, region, kind,
        applied, lease_age_ms, downstream, active, seen_at, reach)
      select 0, $1::text, v.workspace_id, v.credential_id, v.verifier_id, v.name, v.region, v.kind, v.applied,
        v.lease_age_ms, v.downstream, v.active, clock_timestamp() - v.silent_ms * interval '1 millisecond', v.reach
      from unnest($7::uuid[], $8::uuid[], $9::text[], $10::text[], $11::text[], $12::text[], $13::jsonb[],
        $14::double precision[], $15::jsonb[], $16::boolean[], $17::double precision[], $18::jsonb[])
        as v (workspace_id, credential_id, verifier_id, name, region, kind, applied, lease_age_ms, downstream,
        active, silent_ms, reach)
      on conflict on constraint verifier_state_pkey do update set name = excluded.name, region = excluded.region,
        kind = excluded.kind, applied = excluded.applied, lease_age_ms = excluded.lease_age_ms,
        downstream = excluded.downstream, active = excluded.active, reach = excluded.reach,
        seen_at = greatest(verifier_state.seen_at, excluded.seen_at)
    )
    select exists (
      select 1 from relay_state r
      where r.shard = 0 and r.relay_id <> $1::text and r.wanted_at > clock_timestamp() - interval '2 seconds'
    ) as wanted`,
};

export interface RelayRow {
  readonly relayId: string;
  readonly name: string;
  readonly region: string | null;
  readonly heads: object;
  readonly leaseAgeMs: number | null;
  /** Somebody here waits for what the other relays know. */
  readonly wants: boolean;
}

export interface VerifierRow {
  /** UUIDs. */
  readonly workspaceId: string;
  readonly credentialId: string;
  readonly verifierId: string;
  readonly name: string;
  readonly region: string | null;
  readonly kind: string;
  readonly applied: object | null;
  readonly leaseAgeMs: number | null;
  readonly downstream: readonly object[];
  readonly active: boolean;
  readonly silentMs: number;
  /** Of which keyspaces it may accept keys. */
  readonly reach: object;
}

/** Says whether another relay waits for what this one knows. */
export async function writeRegistry(
  tx: Queryable,
  relay: RelayRow,
  verifiers: readonly VerifierRow[],
): Promise<boolean> {
  const rows = await tx.query<{ wanted: boolean }>(writeRegistryStatement, [
    relay.relayId,
    relay.name,
    relay.region,
    JSON.stringify(relay.heads),
    relay.leaseAgeMs,
    relay.wants,
    verifiers.map((row) => row.workspaceId),
    verifiers.map((row) => row.credentialId),
    verifiers.map((row) => row.verifierId),
    verifiers.map((row) => row.name),
    verifiers.map((row) => row.region),
    verifiers.map((row) => row.kind),
    verifiers.map((row) => (row.applied === null ? null : JSON.stringify(row.applied))),
    verifiers.map((row) => row.leaseAgeMs),
    verifiers.map((row) => JSON.stringify(row.downstream)),
    verifiers.map((row) => row.active),
    verifiers.map((row) => row.silentMs),
    verifiers.map((row) => JSON.stringify(row.reach)),
  ]);
  return rows[0]?.wanted ?? false;
}

const sweepVerifiersStatement = {
  name: 'sweep_verifiers',
  text: `
    delete from verifier_state v
    where v.shard = 0 and v.seen_at < clock_timestamp() - $1::double precision * interval '1 millisecond'
      and (not v.active or not exists (
        select 1 from relay_state r where r.shard = 0 and r.relay_id = v.relay_id
          and r.seen_at >= clock_timestamp() - $1::double precision * interval '1 millisecond'))`,
};

const sweepRelaysStatement = {
  name: 'sweep_relays',
  text: `
    delete from relay_state
    where shard = 0 and seen_at < clock_timestamp() - $1::double precision * interval '1 millisecond'`,
};

/** Removes those of whom nothing was heard for so long. */
export async function sweepRegistry(tx: Queryable, keptMs: number): Promise<void> {
  await tx.query(sweepVerifiersStatement, [keptMs]);
  await tx.query(sweepRelaysStatement, [keptMs]);
}
