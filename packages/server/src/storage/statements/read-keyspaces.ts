import { type KeyspaceId, type KeyspaceRecord, shardOfId, uuidHexOf } from '@keyswarm/core';
import type { Queryable } from '../store.ts';
import { type KeyspaceRow, keyspaceColumns, keyspaceRecordOf } from './record-rows.ts';

const readKeyspacesStatement = {
  name: 'read_keyspaces',
  text: `
    select ${keyspaceColumns}
    from unnest($1::smallint[], $2::uuid[]) as wanted (shard, id)
    join keyspaces s on s.shard = wanted.shard and s.id = wanted.id`,
};

const lockKeyspacesStatement = {
  name: 'lock_keyspaces',
  text: `
    select ${keyspaceColumns}
    from keyspaces s
    where s.shard = $1::smallint and s.id = any($2::uuid[])
    order by s.id
    for update`,
};

/** Keyspaces of any shard, without a lock. */
export async function readKeyspaces(
  tx: Queryable,
  ids: readonly KeyspaceId[],
  shards: number,
): Promise<readonly KeyspaceRecord[]> {
  const params = [ids.map((id) => shardOfId(id, shards)), ids.map(uuidHexOf)];
  const rows = await tx.query<KeyspaceRow>(readKeyspacesStatement, params);
  return rows.map(keyspaceRecordOf);
}

/** Keyspaces of one shard, locked in the order of their ids. */
export async function lockKeyspaces(
  tx: Queryable,
  shard: number,
  ids: readonly KeyspaceId[],
): Promise<readonly KeyspaceRecord[]> {
  const rows = await tx.query<KeyspaceRow>(lockKeyspacesStatement, [shard, ids.map(uuidHexOf)]);
  return rows.map(keyspaceRecordOf);
}
