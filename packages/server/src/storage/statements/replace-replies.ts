import type { Queryable } from '../store.ts';
import type { NewReply } from './insert-idempotency.ts';

const replaceRepliesStatement = {
  name: 'replace_replies',
  text: `
    update idempotency i
    set reply = decode(n.reply, 'hex')
    from unnest($1::smallint[], $2::text[], $3::text[]) as n (shard, key_hash, reply)
    where i.shard = n.shard and i.key_hash = decode(n.key_hash, 'hex')`,
};

/** Of replies that the same transaction has inserted. */
export async function replaceReplies(tx: Queryable, replies: readonly NewReply[]): Promise<void> {
  await tx.query(replaceRepliesStatement, [
    replies.map((reply) => reply.shard),
    replies.map((reply) => reply.keyHashHex),
    replies.map((reply) => reply.replyHex),
  ]);
}
