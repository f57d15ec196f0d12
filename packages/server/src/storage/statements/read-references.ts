import {
  assert,
  type KeyspaceId,
  type KeyspaceRecord,
  type OwnerId,
  type OwnerRecord,
  shardOfId,
  uuidHexOf,
} from '@keyswarm/core';
import type { Queryable } from '../store.ts';
import { type KeyspaceRow, keyspaceRecordOf, type OwnerRow, ownerRecordOf } from './record-rows.ts';

/*
 * Owners and keyspaces of any shard, without a lock, in one round trip: nearly every batch needs some of both, and
 * a batch is paid for by the round trip. Columns that one of them lacks are null. The store's clock comes along in
 * a row of its own, for the same reason.
 */

const readReferencesStatement = {
  name: 'read_references',
  text: `
    select 'clock' as what, null::uuid as id, null::uuid as workspace_id, null::text as state,
      null::timestamptz as keys_not_before, clock_timestamp() as created_at, null::integer as revision,
      null::text as kind, null::text as external_id, null::text as name, null::text as prefix, null::text as format,
      null::text[] as allowed_scopes, null::bigint as default_ttl_seconds, null::bigint as max_ttl_seconds,
      null::bigint as max_grace_seconds, null::integer as lease_seconds, null::timestamptz as former_lease_until,
      null::jsonb as rules
    union all
    select 'owner', o.id, o.workspace_id, o.state, o.keys_not_before, o.created_at, o.revision,
      o.kind, o.external_id, null, null, null,
      null, null, null,
      null, null, null, null
    from unnest($1::smallint[], $2::uuid[]) as wanted (shard, id)
    join owners o on o.shard = wanted.shard and o.id = wanted.id
    union all
    select 'keyspace', s.id, s.workspace_id, s.state, s.keys_not_before, s.created_at, s.revision,
      null, null, s.name, s.prefix, s.format,
      s.allowed_scopes, s.default_ttl_seconds, s.max_ttl_seconds,
      s.max_grace_seconds, s.lease_seconds, s.former_lease_until, s.rules
    from unnest($3::smallint[], $4::uuid[]) as wanted (shard, id)
    join keyspaces s on s.shard = wanted.shard and s.id = wanted.id`,
};

export interface References {
  /** The store's clock, Unix milliseconds, read while the statement ran. */
  readonly nowMs: number;
  readonly owners: readonly OwnerRecord[];
  readonly keyspaces: readonly KeyspaceRecord[];
}

type ReferenceRow =
  | { readonly what: 'clock'; readonly created_at: number }
  | ({ readonly what: 'owner' } & OwnerRow)
  | ({ readonly what: 'keyspace' } & KeyspaceRow);

export async function readReferences(
  tx: Queryable,
  wanted: { readonly owners: readonly OwnerId[]; readonly keyspaces: readonly KeyspaceId[] },
  shards: number,
): Promise<References> {
  const rows = await tx.query<ReferenceRow>(readReferencesStatement, [
    wanted.owners.map((id) => shardOfId(id, shards)),
    wanted.owners.map(uuidHexOf),
    wanted.keyspaces.map((id) => shardOfId(id, shards)),
    wanted.keyspaces.map(uuidHexOf),
  ]);
  const owners: OwnerRecord[] = [];
  const keyspaces: KeyspaceRecord[] = [];
  let nowMs: number | undefined;
  for (const row of rows) {
    if (row.what === 'clock') nowMs = row.created_at;
    else if (row.what === 'owner') owners.push(ownerRecordOf(row));
    else keyspaces.push(keyspaceRecordOf(row));
  }
  assert(nowMs !== undefined, 'the clock has a row of its own');
  return { nowMs, owners, keyspaces };
}
