import { shardOfId, uuidHexOf, type WorkspaceId } from '@keyswarm/core';
import type { Queryable } from '../store.ts';
import { instantText } from './instant-text.ts';

const insertWorkspacesStatement = {
  name: 'insert_workspaces',
  text: `
    insert into workspaces (shard, id, name, created_at)
    select w.shard, w.id, w.name, w.created_at
    from unnest($1::smallint[], $2::uuid[], $3::text[], $4::timestamptz[]) as w (shard, id, name, created_at)
    order by w.shard, w.id
    on conflict on constraint workspaces_pkey do nothing`,
};

export interface NewWorkspace {
  readonly id: WorkspaceId;
  readonly name: string;
  readonly createdAtMs: number;
}

/** Inserts workspaces unless they exist. */
export async function insertWorkspaces(
  tx: Queryable,
  workspaces: readonly NewWorkspace[],
  shards: number,
): Promise<void> {
  await tx.query(insertWorkspacesStatement, [
    workspaces.map((workspace) => shardOfId(workspace.id, shards)),
    workspaces.map((workspace) => uuidHexOf(workspace.id)),
    workspaces.map((workspace) => workspace.name),
    workspaces.map((workspace) => instantText(workspace.createdAtMs)),
  ]);
}
