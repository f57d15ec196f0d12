import type { Queryable } from '../store.ts';

/** A reply that was kept for a request with this Idempotency-Key. */
export interface KeptReply {
  readonly key_hash: string;
  readonly request_hash: string;
  readonly reply: Uint8Array;
}

const findIdempotencyStatement = {
  name: 'find_idempotency',
  text: `
    select encode(i.key_hash, 'hex') as key_hash, encode(i.request_hash, 'hex') as request_hash, i.reply
    from unnest($1::smallint[], $2::text[]) as wanted (shard, key_hash)
    join idempotency i on i.shard = wanted.shard and i.key_hash = decode(wanted.key_hash, 'hex')
    where i.expires_at > clock_timestamp()`,
};

export interface WantedReply {
  readonly shard: number;
  readonly keyHashHex: string;
}

/** The replies that are still kept, of those wanted. */
export function findIdempotency(
  tx: Queryable,
  wanted: readonly WantedReply[],
): Promise<readonly KeptReply[]> {
  return tx.query<KeptReply>(findIdempotencyStatement, [
    wanted.map((one) => one.shard),
    wanted.map((one) => one.keyHashHex),
  ]);
}
