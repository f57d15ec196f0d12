import { type KeyId, type KeyRecord, uuidHexOf } from '@keyswarm/core';
import type { Queryable } from '../store.ts';
import { type KeyRow, keyColumns, keyRecordsOf, type VersionRow, versionColumns } from './record-rows.ts';

/*
 * Two statements, and they can't be one. Where the lock has to be waited for, PostgreSQL reads the locked row
 * again as it is after the wait, but everything it is joined with as it was before: a key would come with the
 * versions it had one rotation ago. The second statement takes its own snapshot, after all locks are held.
 */

const lockKeysStatement = {
  name: 'lock_keys',
  text: `
    select ${keyColumns}
    from keys k
    where k.shard = $1::smallint and k.id = any($2::uuid[])
    order by k.id
    for update`,
};

const readVersionsStatement = {
  name: 'read_versions',
  text: `
    select ${versionColumns}
    from unnest($2::uuid[]) as wanted (id)
    cross join lateral (
      select * from key_versions v
      where v.shard = $1::smallint and v.key_id = wanted.id
      order by v.number desc
      limit 3
    ) v`,
};

/** Locks these keys of one shard, in the order of their ids so that two writers can't deadlock, and reads them. */
export async function lockKeys(
  tx: Queryable,
  shard: number,
  ids: readonly KeyId[],
): Promise<readonly KeyRecord[]> {
  const uuids = ids.map(uuidHexOf);
  const keys = await tx.query<KeyRow>(lockKeysStatement, [shard, uuids]);
  if (keys.length === 0) return [];
  const versions = await tx.query<VersionRow>(readVersionsStatement, [shard, keys.map((key) => key.id)]);
  return keyRecordsOf(keys, versions);
}
