import type { Queryable } from '../store.ts';

/*
 * Every relay, and with each the verifiers of some workspaces, or of those the ones that may accept keys of one keyspace.
 * A row without a reach is of a server that knew of none, and counts for all. One statement: what it gives is of one instant, with the
 * engine's clock read after that instant.
 */

const readRegistryStatement = {
  name: 'read_registry',
  text: `
    select r.relay_id, r.name as relay_name, r.region as relay_region, r.heads, r.lease_age_ms as relay_lease_age_ms,
      extract(epoch from clock_timestamp() - r.seen_at)::double precision * 1000 as relay_silent_ms,
      v.workspace_id, v.credential_id, v.verifier_id, v.name, v.region, v.kind, v.applied, v.lease_age_ms,
      v.downstream, v.active, v.reach,
      extract(epoch from clock_timestamp() - v.seen_at)::double precision * 1000 as silent_ms,
      floor(extract(epoch from clock_timestamp()) * 1000)::bigint as now_ms
    from relay_state r
    left join verifier_state v on v.shard = 0 and v.relay_id = r.relay_id and v.workspace_id = any ($1::uuid[])
      and ($3::text is null or v.reach is null or case when v.reach -> 'keyspaces' is null then true
        else v.reach -> 'keyspaces' @> to_jsonb($3::text) end
        and not coalesce(v.reach -> 'without' @> to_jsonb($3::text), false))
    where r.shard = 0
    order by r.relay_id, v.name, v.verifier_id
    limit $2::integer`,
};

export interface RegistryRow {
  readonly relay_id: string;
  readonly relay_name: string;
  readonly relay_region: string | null;
  readonly heads: unknown;
  readonly relay_lease_age_ms: number | null;
  readonly relay_silent_ms: number;
  /** Null in the row of a relay without verifiers of those workspaces, as all that follow are. */
  readonly workspace_id: string | null;
  readonly credential_id: string;
  readonly verifier_id: string;
  readonly name: string;
  readonly region: string | null;
  readonly kind: 'library' | 'node' | 'relay';
  readonly applied: unknown;
  readonly lease_age_ms: number | null;
  readonly downstream: unknown;
  readonly active: boolean;
  readonly reach: unknown;
  readonly silent_ms: number;
  readonly now_ms: number;
}

export function readRegistry(
  tx: Queryable,
  asked: { readonly workspaceIds: readonly string[]; readonly keyspaceId?: string | undefined },
  rowsMax: number,
): Promise<readonly RegistryRow[]> {
  return tx.query<RegistryRow>(readRegistryStatement, [
    asked.workspaceIds,
    rowsMax,
    asked.keyspaceId ?? null,
  ]);
}
