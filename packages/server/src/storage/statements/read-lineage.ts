import { type KeyId, shardOfId, uuidHexOf, type VersionState, type WorkspaceId } from '@keyswarm/core';
import type { LineageVersion } from '../reader-port.ts';
import type { Queryable } from '../store.ts';

/** The versions of one key before `before`, newest first, each with its uses. Of another workspace: none. */
const readLineageStatement = {
  name: 'read_lineage',
  text: `
    select v.number, v.state, v.minted_at, v.retires_at, u.first_used_at, u.last_used_at
    from keys k
    join key_versions v on v.shard = k.shard and v.key_id = k.id
    left join version_uses u on u.shard = v.shard and u.key_id = v.key_id and u.number = v.number
    where k.shard = $1::smallint and k.id = $2::uuid and k.workspace_id = $3::uuid
      and ($4::integer is null or v.number < $4::integer)
    order by v.number desc
    limit $5::integer`,
};

interface LineageRow {
  readonly number: number;
  readonly state: VersionState;
  readonly minted_at: number;
  readonly retires_at: number | null;
  readonly first_used_at: number | null;
  readonly last_used_at: number | null;
}

export async function readLineage(
  tx: Queryable,
  asked: {
    readonly workspaceId: WorkspaceId;
    readonly keyId: KeyId;
    readonly before: number | undefined;
    readonly limit: number;
  },
  shards: number,
): Promise<readonly LineageVersion[]> {
  const { workspaceId, keyId, before, limit } = asked;
  const rows = await tx.query<LineageRow>(readLineageStatement, [
    shardOfId(keyId, shards),
    uuidHexOf(keyId),
    uuidHexOf(workspaceId),
    before ?? null,
    limit,
  ]);
  return rows.map((row) => ({
    number: row.number,
    state: row.state,
    mintedAtMs: row.minted_at,
    retiresAtMs: row.retires_at,
    firstUsedMs: row.first_used_at,
    lastUsedMs: row.last_used_at,
  }));
}
