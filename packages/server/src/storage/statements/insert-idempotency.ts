import type { Queryable } from '../store.ts';
import { instantText } from './instant-text.ts';

/*
 * A reply is kept unless one is kept already for the same key hash: the caller compares the count, and a
 * smaller one means that another process was first. A reply that has run out but was not swept yet gives way.
 */

const insertIdempotencyStatement = {
  name: 'insert_idempotency',
  text: `
    insert into idempotency as i (shard, key_hash, request_hash, reply, expires_at)
    select n.shard, decode(n.key_hash, 'hex'), decode(n.request_hash, 'hex'), decode(n.reply, 'hex'),
      $6::timestamptz
    from unnest($1::smallint[], $2::text[], $3::text[], $4::text[]) as n (shard, key_hash, request_hash, reply)
    order by n.shard, n.key_hash
    on conflict on constraint idempotency_pkey do update
      set request_hash = excluded.request_hash, reply = excluded.reply, expires_at = excluded.expires_at
      where i.expires_at <= $5::timestamptz
    returning i.shard`,
};

export interface NewReply {
  readonly shard: number;
  readonly keyHashHex: string;
  readonly requestHashHex: string;
  readonly replyHex: string;
}

/** How many were kept now. Waits for another transaction that is keeping one of the same keys. */
export async function insertIdempotency(
  tx: Queryable,
  replies: readonly NewReply[],
  times: { readonly nowMs: number; readonly expiresAtMs: number },
): Promise<number> {
  const rows = await tx.query(insertIdempotencyStatement, [
    replies.map((reply) => reply.shard),
    replies.map((reply) => reply.keyHashHex),
    replies.map((reply) => reply.requestHashHex),
    replies.map((reply) => reply.replyHex),
    instantText(times.nowMs),
    instantText(times.expiresAtMs),
  ]);
  return rows.length;
}
