import type { Queryable } from '../store.ts';

const findFingerprintsStatement = {
  name: 'find_fingerprints',
  text: `
    select encode(v.fingerprint, 'hex') as fingerprint
    from unnest($2::text[]) as wanted (fingerprint)
    join key_versions v on v.shard = $1::smallint and v.fingerprint = decode(wanted.fingerprint, 'hex')`,
};

/** Which of these fingerprints (lower-case hex) the shard knows, of versions in any state. */
export async function findFingerprints(
  tx: Queryable,
  shard: number,
  fingerprintsHex: readonly string[],
): Promise<ReadonlySet<string>> {
  const rows = await tx.query<{ fingerprint: string }>(findFingerprintsStatement, [shard, fingerprintsHex]);
  return new Set(rows.map((row) => row.fingerprint));
}
