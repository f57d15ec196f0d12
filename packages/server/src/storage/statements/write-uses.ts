import type { KeyId, KeyspaceId, WorkspaceId } from '@keyswarm/core';
import { shardOfId, uuidHexOf } from '@keyswarm/core';
import type { Queryable } from '../store.ts';
import { instantText } from './instant-text.ts';

/*
 * Uses of versions, of all shards in one statement, and kept as the first and the last of each. A use is that of a key
 * which is there, in the keyspace and the workspace of whoever told it; others are dropped, and so nobody makes up a
 * use of what it may not read. A verifier's clock may be ahead or behind: no use is later than now, none earlier than
 * its version.
 *
 * Rows are written in the order of the key, so that two processes with the same ones wait for each other only.
 */

const writeUsesStatement = {
  name: 'write_uses',
  text: `
    with told as (
      select g.shard, g.key_id, g.number, v.state, v.minted_at,
        greatest(v.minted_at, least(min(g.first_at), clock_timestamp())) as first_at,
        greatest(v.minted_at, least(max(g.last_at), clock_timestamp())) as last_at
      from unnest($1::smallint[], $2::uuid[], $3::integer[], $4::uuid[], $5::uuid[], $6::timestamptz[],
        $7::timestamptz[]) as g (shard, key_id, number, keyspace_id, workspace_id, first_at, last_at)
      join keys k on k.shard = g.shard and k.id = g.key_id and k.keyspace_id = g.keyspace_id
        and (g.workspace_id is null or k.workspace_id = g.workspace_id)
      join key_versions v on v.shard = g.shard and v.key_id = g.key_id and v.number = g.number
      group by g.shard, g.key_id, g.number, v.state, v.minted_at
    ), written as (
      insert into version_uses (shard, key_id, number, first_used_at, last_used_at)
      select shard, key_id, number, first_at, last_at from told order by shard, key_id, number
      on conflict on constraint version_uses_pkey do update
        set first_used_at = least(version_uses.first_used_at, excluded.first_used_at),
          last_used_at = greatest(version_uses.last_used_at, excluded.last_used_at)
        where excluded.first_used_at < version_uses.first_used_at
          or excluded.last_used_at > version_uses.last_used_at
    )
    select round(date_part('epoch', t.first_at - t.minted_at) * 1000) as ms
    from told t
    where t.number > 1 and t.state = 'active' and not exists (
      select 1 from version_uses u where u.shard = t.shard and u.key_id = t.key_id and u.number = t.number
    )`,
};

export interface VersionUseRow {
  readonly keyId: KeyId;
  readonly keyspaceId: KeyspaceId;
  /** Of whoever told it; undefined: the authority itself, which knows all of them. */
  readonly workspaceId: WorkspaceId | undefined;
  readonly version: number;
  readonly firstAtMs: number;
  readonly lastAtMs: number;
}

/** For each new version that was used for the first time: how long after its rotation, ms. */
export async function writeUses(
  tx: Queryable,
  uses: readonly VersionUseRow[],
  shards: number,
): Promise<readonly number[]> {
  const rows = await tx.query<{ ms: number }>(writeUsesStatement, [
    uses.map(({ keyId }) => shardOfId(keyId, shards)),
    uses.map(({ keyId }) => uuidHexOf(keyId)),
    uses.map(({ version }) => version),
    uses.map(({ keyspaceId }) => uuidHexOf(keyspaceId)),
    uses.map(({ workspaceId }) => (workspaceId === undefined ? null : uuidHexOf(workspaceId))),
    uses.map(({ firstAtMs }) => instantText(Math.floor(firstAtMs))),
    uses.map(({ lastAtMs }) => instantText(Math.floor(lastAtMs))),
  ]);
  return rows.map(({ ms }) => ms);
}
