import { type OwnerId, type OwnerRecord, uuidHexOf } from '@keyswarm/core';
import type { Queryable } from '../store.ts';
import { type OwnerRow, ownerColumns, ownerRecordOf } from './record-rows.ts';

const lockOwnersStatement = {
  name: 'lock_owners',
  text: `
    select ${ownerColumns}
    from owners o
    where o.shard = $1::smallint and o.id = any($2::uuid[])
    order by o.id
    for update`,
};

/** Owners of one shard, locked in the order of their ids. */
export async function lockOwners(
  tx: Queryable,
  shard: number,
  ids: readonly OwnerId[],
): Promise<readonly OwnerRecord[]> {
  const rows = await tx.query<OwnerRow>(lockOwnersStatement, [shard, ids.map(uuidHexOf)]);
  return rows.map(ownerRecordOf);
}
