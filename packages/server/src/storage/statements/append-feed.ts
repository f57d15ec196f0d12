import { uuidHexOf, type WorkspaceId } from '@keyswarm/core';
import type { Queryable } from '../store.ts';
import { instantText } from './instant-text.ts';

/*
 * Moves the head, writes feed rows and audit records: the last statement of a transaction, so that the head row,
 * for which every other writer of the shard waits, is held only from here to COMMIT.
 *
 * The head has to be as the caller knows it, by number and hash, because the records' chain is computed here and
 * not in SQL. In the one process that writes a shard it always is, and the round trip that would ask for it is
 * saved. Where another process has written in between nothing happens, and the caller asks (`lock-head.ts`).
 *
 * Bodies travel as one text with a line each: JSON without indentation holds no raw line break, and an array
 * literal would have every quote escaped on this side and unescaped on the other.
 */

const appendFeedStatement = {
  name: 'append_feed',
  text: `
    with head as (
      update feed_heads
      set seq = $2::bigint + $3::bigint, audit_hash = decode($11::text, 'hex')
      where shard = $1::smallint and epoch = $4::bigint and seq = $2::bigint
        and audit_hash = decode($5::text, 'hex')
      returning shard, $2::bigint as seq
    ), rows as (
      insert into feed (shard, seq, day, at, workspace_id, type, body)
      select head.shard, head.seq + f.nth, ($6::timestamptz at time zone 'UTC')::date, $6::timestamptz,
        f.workspace_id, f.type, f.body::json
      from head
      cross join rows from (unnest($7::uuid[]), unnest($8::text[]), string_to_table($9::text, E'\\n'))
        with ordinality as f (workspace_id, type, body, nth)
    ), records as (
      insert into audit (shard, seq, body, hash)
      select head.shard, head.seq + a.nth, a.body, decode(a.hash, 'hex')
      from head
      cross join rows from (string_to_table($10::text, E'\\n'), unnest($12::text[]))
        with ordinality as a (body, hash, nth)
    )
    select shard from head`,
};

/** The end of a shard's feed and of its audit chain. */
export interface Head {
  readonly epoch: number;
  readonly seq: number;
  readonly auditHashHex: string;
}

export interface FeedAppend {
  readonly shard: number;
  /** As the caller knows it, and as it is to be. */
  readonly before: Head;
  readonly after: Head;
  readonly atMs: number;
  readonly rows: readonly {
    readonly workspaceId: WorkspaceId;
    readonly type: string;
    readonly body: string;
  }[];
  /** One a row, in the same order; the last hash is that of `after`. */
  readonly records: readonly { readonly body: string; readonly hashHex: string }[];
}

/** False when the head was not `before`: then nothing was written. */
export async function appendFeed(tx: Queryable, append: FeedAppend): Promise<boolean> {
  const moved = await tx.query(appendFeedStatement, [
    append.shard,
    append.before.seq,
    append.rows.length,
    append.before.epoch,
    append.before.auditHashHex,
    instantText(append.atMs),
    append.rows.map((row) => uuidHexOf(row.workspaceId)),
    append.rows.map((row) => row.type),
    append.rows.map((row) => row.body).join('\n'),
    append.records.map((record) => record.body).join('\n'),
    append.after.auditHashHex,
    append.records.map((record) => record.hashHex),
  ]);
  return moved.length > 0;
}
