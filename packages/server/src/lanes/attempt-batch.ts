import { assert, type FeedRow } from '@keyswarm/core';
import type { Head } from '../storage/statements/append-feed.ts';
import { lockHead } from '../storage/statements/lock-head.ts';
import type { Queryable } from '../storage/store.ts';
import { appendRows, unknownHead } from './append-rows.ts';
import { readBatch } from './batch-reads.ts';
import {
  type DecidedEntry,
  findKeptReplies,
  keptFor,
  outcomesAfter,
  ReplyKeeper,
  replayOf,
} from './batch-replies.ts';
import { writeBatch } from './batch-writes.ts';
import { decideWrite } from './decide-write.ts';
import type { LaneEntry, Outcome } from './lane-entry.ts';

/** What one run of a batch came to, provided that its transaction commits. */
export interface Attempt {
  /** One an entry, in order. */
  readonly outcomes: readonly Outcome[];
  readonly rows: readonly FeedRow[];
  /**
   * Where the shard ends with this batch, and by what the batch is recognised later. Null when nothing was
   * changed: then nothing can be told, and nothing is lost, by running it again.
   */
  readonly head: Head | null;
}

export interface AttemptContext {
  readonly shard: number;
  readonly shards: number;
  readonly lockAll: boolean;
  /** Where this process left the shard. */
  readonly knownHead: Head | undefined;
  readonly replyKeptMs: number;
}

/** The work of one transaction: look up replies, read, let every write decide, write, number the rows. */
export async function attemptBatch(
  tx: Queryable,
  entries: readonly LaneEntry[],
  context: AttemptContext,
): Promise<Attempt> {
  const { shard, shards, knownHead } = context;
  const kept = await findKeptReplies(tx, entries, shards);
  const pending = entries.filter((entry) => keptFor(entry, kept) === undefined);
  const { view, nowMs } = await readBatch(
    tx,
    pending.map((entry) => entry.write),
    context,
  );
  const decided = pending.map((entry) => ({ entry, decided: decideWrite(entry, view, { shards, nowMs }) }));
  await writeBatch(tx, view, { shard, shards });
  const replies = new ReplyKeeper(tx, decided, { ...context, nowMs });
  const drafts = decided.flatMap(({ decided: one }) => (one.kind === 'done' ? one.rows : []));
  const inOrder = (before: Head) => outcomesInOrder(entries, kept, { before, decided, shard });
  if (drafts.length === 0) {
    await replies.keepAfter(unknownHead);
    // What is replayed may be seen here and not be on the standby yet, because whoever wrote it was cut off while it waited.
    // The lock makes this a writing transaction, whose own COMMIT waits: the answer then holds after a failover, too.
    if (kept.size > 0) await lockHead(tx, shard);
    return { outcomes: inOrder(unknownHead), rows: [], head: null };
  }
  const place = { shard, known: knownHead, atMs: nowMs };
  const { before, rows, head } = await appendRows(tx, place, {
    drafts,
    expectAfter: (expected) => replies.keepAfter(expected),
  });
  return { outcomes: inOrder(before), rows, head };
}

/** Those of replays among those that were decided. */
function outcomesInOrder(
  entries: readonly LaneEntry[],
  kept: Awaited<ReturnType<typeof findKeptReplies>>,
  batch: { readonly before: Head; readonly decided: readonly DecidedEntry[]; readonly shard: number },
): readonly Outcome[] {
  const fresh = outcomesAfter(batch.before, batch.decided, batch.shard).values();
  return entries.map((entry) => {
    const reply = keptFor(entry, kept);
    if (reply !== undefined) return replayOf(entry, reply);
    const next = fresh.next();
    assert(next.done !== true, 'every entry without a kept reply was decided');
    return next.value;
  });
}
