import { type OwnerId, type OwnerRecord, shardOfId, uuidHexOf } from '@keyswarm/core';
import type { Queryable } from '../store.ts';
import { type OwnerRow, ownerColumns, ownerRecordOf } from './record-rows.ts';

const lockOwnersStatement = {
  name: 'lock_owners',
  text: `
    select ${ownerColumns}
    from unnest($1::smallint[], $2::uuid[]) as wanted (shard, id)
    join owners o on o.shard = wanted.shard and o.id = wanted.id
    order by o.shard, o.id
    for update of o`,
};

/** Owners of any shard, locked in one order, so that two writers which want the same ones can't deadlock. */
export async function lockOwners(
  tx: Queryable,
  ids: readonly OwnerId[],
  shards: number,
): Promise<readonly OwnerRecord[]> {
  const params = [ids.map((id) => shardOfId(id, shards)), ids.map(uuidHexOf)];
  return (await tx.query<OwnerRow>(lockOwnersStatement, params)).map(ownerRecordOf);
}
