import { idFromUuidText, type KeyspaceId, shardOfId, uuidHexOf, type WorkspaceId } from '@keyswarm/core';
import type { Leases } from '../reader-port.ts';
import type { Queryable } from '../store.ts';

/*
 * The leases that verifiers may run on, and the time at which that was so. One statement: it sees what was
 * committed before it began, and its clock is read after that.
 */

const readLeasesStatement = {
  name: 'read_leases',
  text: `
    select 'clock' as what, null::uuid as id, null::integer as lease_seconds,
      null::timestamptz as former_lease_until, clock_timestamp() as now
    union all
    select 'keyspace', s.id, s.lease_seconds, s.former_lease_until, null
    from unnest($2::smallint[], $3::uuid[]) as wanted (shard, id)
    join keyspaces s on s.shard = wanted.shard and s.id = wanted.id
    union all
    select 'workspace', s.workspace_id, max(s.lease_seconds), max(s.former_lease_until), null
    from generate_series(0, $1::integer - 1) as n (shard)
    cross join unnest($4::uuid[]) as wanted (id)
    join keyspaces s on s.shard = n.shard::smallint and s.workspace_id = wanted.id
    group by s.workspace_id`,
};

type LeaseRow =
  | { readonly what: 'clock'; readonly now: number }
  | {
      readonly what: 'keyspace' | 'workspace';
      readonly id: string;
      readonly lease_seconds: number;
      readonly former_lease_until: number | null;
    };

export async function readLeases(
  tx: Queryable,
  wanted: { readonly keyspaces: readonly KeyspaceId[]; readonly workspaces: readonly WorkspaceId[] },
  shards: number,
): Promise<Leases> {
  const rows = await tx.query<LeaseRow>(readLeasesStatement, [
    shards,
    wanted.keyspaces.map((id) => shardOfId(id, shards)),
    wanted.keyspaces.map(uuidHexOf),
    wanted.workspaces.map(uuidHexOf),
  ]);
  const leases = { nowMs: 0, keyspaces: new Map(), workspaces: new Map() };
  for (const row of rows) {
    if (row.what === 'clock') {
      leases.nowMs = row.now;
      continue;
    }
    const lease = { leaseMs: row.lease_seconds * 1000, formerUntilMs: row.former_lease_until };
    if (row.what === 'keyspace') leases.keyspaces.set(idFromUuidText('ks', row.id), lease);
    else leases.workspaces.set(idFromUuidText('ws', row.id), lease);
  }
  return leases;
}
