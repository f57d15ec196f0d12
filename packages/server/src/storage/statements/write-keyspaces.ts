import { encodeKeyspaceRules, type KeyspaceRecord, shardOfId, uuidHexOf } from '@keyswarm/core';
import type { Queryable } from '../store.ts';
import { instantText, instantTextOrNull } from './instant-text.ts';
import { jsonTextOrNull } from './json-text.ts';

/*
 * Scopes travel as one text with a space between: no scope holds a space, and an array of arrays can't be
 * unnested by its first dimension alone.
 */

const insertKeyspacesStatement = {
  name: 'insert_keyspaces',
  text: `
    insert into keyspaces (shard, id, workspace_id, name, prefix, format, allowed_scopes, default_ttl_seconds,
      max_ttl_seconds, max_grace_seconds, lease_seconds, former_lease_until, state, keys_not_before, created_at,
      rules, revision)
    select s.shard, s.id, s.workspace_id, s.name, s.prefix, s.format, string_to_array(s.allowed_scopes, ' '),
      s.default_ttl_seconds, s.max_ttl_seconds, s.max_grace_seconds, s.lease_seconds, s.former_lease_until,
      s.state, s.keys_not_before, s.created_at, s.rules, s.revision
    from unnest($1::smallint[], $2::uuid[], $3::uuid[], $4::text[], $5::text[], $6::text[], $7::text[],
      $8::bigint[], $9::bigint[], $10::bigint[], $11::integer[], $12::timestamptz[], $13::text[], $14::timestamptz[],
      $15::timestamptz[], $16::jsonb[], $17::integer[]) as s (shard, id, workspace_id, name, prefix, format, allowed_scopes,
      default_ttl_seconds, max_ttl_seconds, max_grace_seconds, lease_seconds, former_lease_until, state,
      keys_not_before, created_at, rules, revision)
    order by s.shard, s.id`,
};

const updateKeyspacesStatement = {
  name: 'update_keyspaces',
  text: `
    update keyspaces s
    set allowed_scopes = string_to_array(n.allowed_scopes, ' '), default_ttl_seconds = n.default_ttl_seconds,
      max_ttl_seconds = n.max_ttl_seconds, max_grace_seconds = n.max_grace_seconds,
      lease_seconds = n.lease_seconds, former_lease_until = n.former_lease_until, state = n.state,
      keys_not_before = n.keys_not_before, rules = n.rules, revision = n.revision
    from unnest($1::smallint[], $2::uuid[], $3::text[], $4::bigint[], $5::bigint[], $6::bigint[], $7::integer[],
      $8::timestamptz[], $9::text[], $10::timestamptz[], $11::jsonb[], $12::integer[], $13::integer[]) as n (shard, id,
      allowed_scopes, default_ttl_seconds, max_ttl_seconds, max_grace_seconds, lease_seconds, former_lease_until,
      state, keys_not_before, rules, revision, expected)
    where s.shard = n.shard and s.id = n.id and s.revision = n.expected
    returning s.id`,
};

export async function insertKeyspaces(
  tx: Queryable,
  keyspaces: readonly KeyspaceRecord[],
  shards: number,
): Promise<void> {
  await tx.query(insertKeyspacesStatement, [
    keyspaces.map((keyspace) => shardOfId(keyspace.id, shards)),
    keyspaces.map((keyspace) => uuidHexOf(keyspace.id)),
    keyspaces.map((keyspace) => uuidHexOf(keyspace.workspaceId)),
    keyspaces.map((keyspace) => keyspace.name),
    keyspaces.map((keyspace) => keyspace.prefix),
    keyspaces.map((keyspace) => keyspace.format),
    keyspaces.map((keyspace) => keyspace.allowedScopes.join(' ')),
    keyspaces.map((keyspace) => keyspace.defaultTtlSeconds),
    keyspaces.map((keyspace) => keyspace.maxTtlSeconds),
    keyspaces.map((keyspace) => keyspace.maxGraceSeconds),
    keyspaces.map((keyspace) => keyspace.leaseSeconds),
    keyspaces.map((keyspace) => instantTextOrNull(keyspace.formerLeaseUntilMs)),
    keyspaces.map((keyspace) => keyspace.state),
    keyspaces.map((keyspace) => instantTextOrNull(keyspace.keysNotBeforeMs)),
    keyspaces.map((keyspace) => instantText(keyspace.createdAtMs)),
    keyspaces.map((keyspace) => jsonTextOrNull(encodeKeyspaceRules(keyspace))),
    keyspaces.map((keyspace) => keyspace.revision),
  ]);
}

export interface KeyspaceUpdate {
  readonly after: KeyspaceRecord;
  /** The revision it was read at; the row is left alone if it has another by now. */
  readonly expected: number;
}

/** How many rows were still as they were read, and are changed now. Name, prefix and format never change. */
export async function updateKeyspaces(
  tx: Queryable,
  updates: readonly KeyspaceUpdate[],
  shards: number,
): Promise<number> {
  const rows = await tx.query(updateKeyspacesStatement, [
    updates.map(({ after }) => shardOfId(after.id, shards)),
    updates.map(({ after }) => uuidHexOf(after.id)),
    updates.map(({ after }) => after.allowedScopes.join(' ')),
    updates.map(({ after }) => after.defaultTtlSeconds),
    updates.map(({ after }) => after.maxTtlSeconds),
    updates.map(({ after }) => after.maxGraceSeconds),
    updates.map(({ after }) => after.leaseSeconds),
    updates.map(({ after }) => instantTextOrNull(after.formerLeaseUntilMs)),
    updates.map(({ after }) => after.state),
    updates.map(({ after }) => instantTextOrNull(after.keysNotBeforeMs)),
    updates.map(({ after }) => jsonTextOrNull(encodeKeyspaceRules(after))),
    updates.map(({ after }) => after.revision),
    updates.map(({ expected }) => expected),
  ]);
  return rows.length;
}
