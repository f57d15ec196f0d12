import { idFromUuidText, type KeyId, uuidHexOf } from '@keyswarm/core';
import type { EndingKey, EndingKeys } from '../reader-port.ts';
import type { Queryable } from '../store.ts';
import { instantText } from './instant-text.ts';
import { firstUuid } from './snapshot-pages.ts';

/* Keys of one shard by the time that they end (keys_by_expiry): the place in that order is a time and an id. */

const endingKeysStatement = {
  name: 'ending_keys',
  text: `
    select k.id, k.owner_id, k.keyspace_id, k.expires_at
    from keys k
    where k.shard = $1::smallint and k.expires_at is not null and k.state <> 'revoked'
      and (k.expires_at, k.id) > ($2::timestamptz, $3::uuid) and k.expires_at <= $4::timestamptz
      and k.expires_at >= k.created_at + $5::double precision * interval '1 millisecond'
      and ($6::double precision is null
        or k.expires_at < k.created_at + $6::double precision * interval '1 millisecond')
    order by k.expires_at, k.id
    limit $7::integer`,
};

interface EndingRow {
  readonly id: string;
  readonly owner_id: string;
  readonly keyspace_id: string;
  readonly expires_at: number;
}

export async function readEndingKeys(tx: Queryable, wish: EndingKeys): Promise<readonly EndingKey[]> {
  const rows = await tx.query<EndingRow>(endingKeysStatement, [
    wish.shard,
    instantText(wish.after.expiresAtMs),
    uuidOrFirst(wish.after.id),
    instantText(wish.untilMs),
    wish.lifeMsMin,
    wish.lifeMsBelow,
    wish.limit,
  ]);
  return rows.map((row) => ({
    id: idFromUuidText('key', row.id),
    ownerId: idFromUuidText('own', row.owner_id),
    keyspaceId: idFromUuidText('ks', row.keyspace_id),
    expiresAtMs: row.expires_at,
  }));
}

function uuidOrFirst(id: KeyId | null): string {
  return id === null ? firstUuid : uuidHexOf(id);
}
