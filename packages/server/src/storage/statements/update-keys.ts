import { encodeKeyTraits, hexOf, type KeyRecord, uuidHexOf } from '@keyswarm/core';
import type { Queryable } from '../store.ts';
import { instantTextOrNull } from './instant-text.ts';
import { jsonTextOrNull } from './json-text.ts';
import { type VersionOfKey, versionParams } from './version-params.ts';

/*
 * Keys that change, and those of their versions that are new or changed, in one statement. What can't change in
 * a key's life (workspace, keyspace, owner, birth) is not written again: no index is touched.
 */

const updateKeysStatement = {
  name: 'update_keys',
  text: `
    with versions as (
      insert into key_versions (shard, key_id, number, fingerprint, state, minted_at, retires_at)
      select $1::smallint, v.key_id, v.number, decode(v.fingerprint, 'hex'), v.state,
        v.minted_at, v.retires_at
      from unnest($2::uuid[], $3::integer[], $4::text[], $5::text[], $6::timestamptz[], $7::timestamptz[])
        as v (key_id, number, fingerprint, state, minted_at, retires_at)
      on conflict on constraint key_versions_pkey
        do update set state = excluded.state, retires_at = excluded.retires_at,
          fingerprint = excluded.fingerprint, minted_at = excluded.minted_at
    )
    update keys k
    set name = n.name, scopes = string_to_array(n.scopes, ' '), metadata = n.metadata, state = n.state,
      not_before = n.not_before, expires_at = n.expires_at,
      revoked_at = n.revoked_at, revoke_reason = n.revoke_reason, traits = n.traits,
      revision = n.revision
    from unnest($8::uuid[], $9::text[], $10::text[], $11::jsonb[], $12::text[], $13::timestamptz[], $14::timestamptz[],
      $15::timestamptz[], $16::text[], $17::jsonb[], $18::integer[], $19::integer[]) as n (id, name, scopes, metadata,
      state, not_before, expires_at, revoked_at, revoke_reason, traits, revision, expected)
    where k.shard = $1::smallint and k.id = n.id and k.revision = n.expected
    returning k.id`,
};

export interface KeyUpdate {
  readonly after: KeyRecord;
  readonly before: KeyRecord;
}

/** How many keys were still as they were read, and are changed now. */
export async function updateKeys(
  tx: Queryable,
  shard: number,
  updates: readonly KeyUpdate[],
): Promise<number> {
  const rows = await tx.query(updateKeysStatement, [
    shard,
    ...versionParams(updates.flatMap(changedVersions)),
    updates.map(({ after }) => uuidHexOf(after.id)),
    updates.map(({ after }) => after.name),
    updates.map(({ after }) => after.scopes.join(' ')),
    updates.map(({ after }) => JSON.stringify(after.metadata)),
    updates.map(({ after }) => after.state),
    updates.map(({ after }) => instantTextOrNull(after.notBeforeMs)),
    updates.map(({ after }) => instantTextOrNull(after.expiresAtMs)),
    updates.map(({ after }) => instantTextOrNull(after.revokedAtMs)),
    updates.map(({ after }) => after.revokeReason),
    updates.map(({ after }) => jsonTextOrNull(encodeKeyTraits(after.traits))),
    updates.map(({ after }) => after.revision),
    updates.map(({ before }) => before.revision),
  ]);
  return rows.length;
}

function changedVersions({ after, before }: KeyUpdate): readonly VersionOfKey[] {
  const known = new Map(before.versions.map((version) => [version.number, version]));
  return after.versions
    .filter((version) => {
      const was = known.get(version.number);
      if (was === undefined || was.state !== version.state || was.retiresAtMs !== version.retiresAtMs)
        return true;
      // A secret that nobody has received is replaced by another under the same number.
      return was.mintedAtMs !== version.mintedAtMs || hexOf(was.fingerprint) !== hexOf(version.fingerprint);
    })
    .map((version) => ({ keyId: after.id, version }));
}
