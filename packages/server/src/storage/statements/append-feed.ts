import { uuidHexOf, type WorkspaceId } from '@keyswarm/core';
import type { Queryable } from '../store.ts';
import { instantText } from './instant-text.ts';

/*
 * Feed rows, audit records and the new end of the audit chain in one statement. Bodies travel as one text with
 * a line each: JSON without indentation holds no raw line break, and an array literal would have every quote
 * escaped on this side and unescaped on the other.
 */

const appendFeedStatement = {
  name: 'append_feed',
  text: `
    with rows as (
      insert into feed (shard, seq, day, at, workspace_id, type, body)
      select $1::smallint, $2::bigint + f.nth, ($3::timestamptz at time zone 'UTC')::date,
        $3::timestamptz, f.workspace_id, f.type, f.body::json
      from rows from (unnest($4::uuid[]), unnest($5::text[]), string_to_table($6::text, E'\\n'))
        with ordinality as f (workspace_id, type, body, nth)
    ), records as (
      insert into audit (shard, seq, body, hash)
      select $1::smallint, $2::bigint + a.nth, a.body, decode(a.hash, 'hex')
      from rows from (string_to_table($7::text, E'\\n'), unnest($8::text[]))
        with ordinality as a (body, hash, nth)
    )
    update feed_heads set audit_hash = decode($9::text, 'hex') where shard = $1::smallint`,
};

export interface FeedAppend {
  readonly shard: number;
  /** The number before that of the first row. */
  readonly seqBefore: number;
  readonly atMs: number;
  readonly rows: readonly {
    readonly workspaceId: WorkspaceId;
    readonly type: string;
    readonly body: string;
  }[];
  readonly records: readonly { readonly body: string; readonly hashHex: string }[];
  /** Of the last record. */
  readonly auditHashHex: string;
}

/** One record a row, in the same order. */
export async function appendFeed(tx: Queryable, append: FeedAppend): Promise<void> {
  await tx.query(appendFeedStatement, [
    append.shard,
    append.seqBefore,
    instantText(append.atMs),
    append.rows.map((row) => uuidHexOf(row.workspaceId)),
    append.rows.map((row) => row.type),
    append.rows.map((row) => row.body).join('\n'),
    append.records.map((record) => record.body).join('\n'),
    append.records.map((record) => record.hashHex),
    append.auditHashHex,
  ]);
}
