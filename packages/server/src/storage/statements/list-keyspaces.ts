import { type KeyspaceId, type KeyspaceRecord, uuidHexOf, type WorkspaceId } from '@keyswarm/core';
import type { Queryable } from '../store.ts';
import { type KeyspaceRow, keyspaceColumns, keyspaceRecordOf } from './record-rows.ts';
import { firstUuid } from './snapshot-pages.ts';

/*
 * Keyspaces are few (tens a workspace), so the index by name serves the list too: its range of one workspace is
 * read whole and sorted by id.
 */

const listKeyspacesStatement = {
  name: 'list_keyspaces',
  text: `
    select ${keyspaceColumns}
    from generate_series(0, $1::integer - 1) as n (shard)
    cross join lateral (
      select * from keyspaces s
      where s.shard = n.shard::smallint and s.workspace_id = $2::uuid and s.id > $3::uuid
      order by s.id
      limit $4::integer
    ) s
    order by s.id
    limit $4::integer`,
};

const findKeyspaceStatement = {
  name: 'find_keyspace',
  text: `
    select ${keyspaceColumns}
    from generate_series(0, $1::integer - 1) as n (shard)
    join keyspaces s on s.shard = n.shard::smallint and s.workspace_id = $2::uuid and s.name = $3::text`,
};

export async function listKeyspaces(
  tx: Queryable,
  list: {
    readonly workspaceId: WorkspaceId;
    readonly after: KeyspaceId | undefined;
    readonly limit: number;
  },
  shards: number,
): Promise<readonly KeyspaceRecord[]> {
  const after = list.after === undefined ? firstUuid : uuidHexOf(list.after);
  const params = [shards, uuidHexOf(list.workspaceId), after, list.limit];
  return (await tx.query<KeyspaceRow>(listKeyspacesStatement, params)).map(keyspaceRecordOf);
}

/** Looks in every shard: one probe of a unique index each, and no need to know how the name was hashed. */
export async function findKeyspace(
  tx: Queryable,
  workspaceId: WorkspaceId,
  name: string,
  shards: number,
): Promise<KeyspaceRecord | undefined> {
  const rows = await tx.query<KeyspaceRow>(findKeyspaceStatement, [shards, uuidHexOf(workspaceId), name]);
  const row = rows[0];
  return row && keyspaceRecordOf(row);
}
