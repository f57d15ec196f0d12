import { type OwnerId, type OwnerRecord, shardOfId, uuidHexOf } from '@keyswarm/core';
import type { Queryable } from '../store.ts';
import { type OwnerRow, ownerColumns, ownerRecordOf } from './record-rows.ts';

const readOwnersStatement = {
  name: 'read_owners',
  text: `
    select ${ownerColumns}
    from unnest($1::smallint[], $2::uuid[]) as wanted (shard, id)
    join owners o on o.shard = wanted.shard and o.id = wanted.id`,
};

const lockOwnersStatement = {
  name: 'lock_owners',
  text: `
    select ${ownerColumns}
    from owners o
    where o.shard = $1::smallint and o.id = any($2::uuid[])
    order by o.id
    for update`,
};

/** Owners of any shard, without a lock. */
export async function readOwners(
  tx: Queryable,
  ids: readonly OwnerId[],
  shards: number,
): Promise<readonly OwnerRecord[]> {
  const params = [ids.map((id) => shardOfId(id, shards)), ids.map(uuidHexOf)];
  const rows = await tx.query<OwnerRow>(readOwnersStatement, params);
  return rows.map(ownerRecordOf);
}

/** Owners of one shard, locked in the order of their ids. */
export async function lockOwners(
  tx: Queryable,
  shard: number,
  ids: readonly OwnerId[],
): Promise<readonly OwnerRecord[]> {
  const rows = await tx.query<OwnerRow>(lockOwnersStatement, [shard, ids.map(uuidHexOf)]);
  return rows.map(ownerRecordOf);
}
