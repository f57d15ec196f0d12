import { type KeyspaceId, type KeyspaceRecord, uuidHexOf } from '@keyswarm/core';
import type { Queryable } from '../store.ts';
import { type KeyspaceRow, keyspaceColumns, keyspaceRecordOf } from './record-rows.ts';

const lockKeyspacesStatement = {
  name: 'lock_keyspaces',
  text: `
    select ${keyspaceColumns}
    from keyspaces s
    where s.shard = $1::smallint and s.id = any($2::uuid[])
    order by s.id
    for update`,
};

/** Keyspaces of one shard, locked in the order of their ids. */
export async function lockKeyspaces(
  tx: Queryable,
  shard: number,
  ids: readonly KeyspaceId[],
): Promise<readonly KeyspaceRecord[]> {
  const rows = await tx.query<KeyspaceRow>(lockKeyspacesStatement, [shard, ids.map(uuidHexOf)]);
  return rows.map(keyspaceRecordOf);
}
