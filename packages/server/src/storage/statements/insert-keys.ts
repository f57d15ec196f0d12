import { encodeKeyTraits, type KeyRecord, uuidHexOf } from '@keyswarm/core';
import type { Queryable } from '../store.ts';
import { instantText, instantTextOrNull } from './instant-text.ts';
import { jsonTextOrNull } from './json-text.ts';
import { versionParams } from './version-params.ts';

/*
 * Keys and their first versions in one statement and one round trip. Scopes travel as one text with a space
 * between (no scope holds a space), metadata as one JSON text a key.
 */

const insertKeysStatement = {
  name: 'insert_keys',
  text: `
    with versions as (
      insert into key_versions (shard, key_id, number, fingerprint, state, minted_at, retires_at)
      select $1::smallint, v.key_id, v.number, decode(v.fingerprint, 'hex'), v.state,
        v.minted_at, v.retires_at
      from unnest($2::uuid[], $3::integer[], $4::text[], $5::text[], $6::timestamptz[], $7::timestamptz[])
        as v (key_id, number, fingerprint, state, minted_at, retires_at)
    )
    insert into keys (shard, id, workspace_id, keyspace_id, owner_id, name, scopes, metadata, state, not_before,
      expires_at, created_at, revoked_at, revoke_reason, traits, revision)
    select $1::smallint, k.id, k.workspace_id, k.keyspace_id, k.owner_id, k.name,
      string_to_array(k.scopes, ' '), k.metadata, k.state, k.not_before,
      k.expires_at, k.created_at, k.revoked_at,
      k.revoke_reason, k.traits, k.revision
    from unnest($8::uuid[], $9::uuid[], $10::uuid[], $11::uuid[], $12::text[], $13::text[], $14::jsonb[],
      $15::text[], $16::timestamptz[], $17::timestamptz[], $18::timestamptz[], $19::timestamptz[], $20::text[], $21::jsonb[],
      $22::integer[])
      as k (id, workspace_id, keyspace_id, owner_id, name, scopes, metadata, state, not_before, expires_at,
      created_at, revoked_at, revoke_reason, traits, revision)`,
};

/** Inserts keys that were not there; one that is there is a unique violation. */
export async function insertKeys(tx: Queryable, shard: number, keys: readonly KeyRecord[]): Promise<void> {
  await tx.query(insertKeysStatement, [
    shard,
    ...versionParams(keys.flatMap((key) => key.versions.map((version) => ({ keyId: key.id, version })))),
    keys.map((key) => uuidHexOf(key.id)),
    keys.map((key) => uuidHexOf(key.workspaceId)),
    keys.map((key) => uuidHexOf(key.keyspaceId)),
    keys.map((key) => uuidHexOf(key.ownerId)),
    keys.map((key) => key.name),
    keys.map((key) => key.scopes.join(' ')),
    keys.map((key) => JSON.stringify(key.metadata)),
    keys.map((key) => key.state),
    keys.map((key) => instantTextOrNull(key.notBeforeMs)),
    keys.map((key) => instantTextOrNull(key.expiresAtMs)),
    keys.map((key) => instantText(key.createdAtMs)),
    keys.map((key) => instantTextOrNull(key.revokedAtMs)),
    keys.map((key) => key.revokeReason),
    keys.map((key) => jsonTextOrNull(encodeKeyTraits(key.traits))),
    keys.map((key) => key.revision),
  ]);
}
