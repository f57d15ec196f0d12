import { bytesOfHex, Fault, type FeedRow, hexOf, shardOfHash } from '@keyswarm/core';
import type { Head } from '../storage/statements/append-feed.ts';
import { findIdempotency, type KeptReply } from '../storage/statements/find-idempotency.ts';
import type { NewReply } from '../storage/statements/insert-idempotency.ts';
import type { Queryable } from '../storage/store.ts';
import { appendRows } from './append-rows.ts';
import { readBatch } from './batch-reads.ts';
import { writeBatch } from './batch-writes.ts';
import { decideWrite } from './decide-write.ts';
import type { DraftRow } from './draft-row.ts';
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
  const kept = await findKeptReplies(tx, entries, context.shards);
  const pending = entries.filter((entry) => keptFor(entry, kept) === undefined);
  const { view, nowMs } = await readBatch(
    tx,
    pending.map((entry) => entry.write),
    context,
  );
  const drafts: DraftRow[] = [];
  const replies: NewReply[] = [];
  const outcomes = entries.map((entry) => {
    const reply = keptFor(entry, kept);
    if (reply !== undefined) return replayOf(entry, reply);
    const decided = decideWrite(entry, view, { shards: context.shards, nowMs });
    drafts.push(...decided.rows);
    if (decided.sealed !== undefined && entry.ticket !== undefined) {
      replies.push({
        ...entry.ticket,
        shard: shardOfKeyHash(entry.ticket.keyHashHex, context.shards),
        replyHex: hexOf(decided.sealed),
      });
    }
    return decided.outcome;
  });
  await writeBatch(tx, view, replies, {
    shard: context.shard,
    shards: context.shards,
    nowMs,
    repliesExpireAtMs: nowMs + context.replyKeptMs,
  });
  if (drafts.length === 0) return { outcomes, rows: [], head: null };
  const place = { shard: context.shard, known: context.knownHead, atMs: nowMs };
  return { outcomes, ...(await appendRows(tx, place, drafts)) };
}

type KeptReplies = ReadonlyMap<string, KeptReply>;

async function findKeptReplies(
  tx: Queryable,
  entries: readonly LaneEntry[],
  shards: number,
): Promise<KeptReplies> {
  const wanted = entries.flatMap(({ ticket }) =>
    ticket === undefined
      ? []
      : [{ shard: shardOfKeyHash(ticket.keyHashHex, shards), keyHashHex: ticket.keyHashHex }],
  );
  if (wanted.length === 0) return new Map();
  const rows = await findIdempotency(tx, wanted);
  return new Map(rows.map((row) => [row.key_hash, row]));
}

function keptFor(entry: LaneEntry, kept: KeptReplies): KeptReply | undefined {
  return entry.ticket && kept.get(entry.ticket.keyHashHex);
}

function replayOf(entry: LaneEntry, kept: KeptReply): Outcome {
  if (kept.request_hash !== entry.ticket?.requestHashHex) {
    const detail = 'This Idempotency-Key was used before, for a request with another method, path or body.';
    return {
      kind: 'refused',
      error: new Fault('idempotency_mismatch', { detail, field: 'Idempotency-Key' }),
    };
  }
  try {
    const reply = entry.write.idempotency?.open(kept.reply);
    return { kind: 'done', receipt: { reply, replayed: true } };
  } catch (error) {
    return { kind: 'refused', error };
  }
}

/** Of the hash, not of the lane: one Idempotency-Key has one place, whatever it is used for. */
function shardOfKeyHash(keyHashHex: string, shards: number): number {
  return shardOfHash(bytesOfHex(keyHashHex.slice(-2), 1) ?? new Uint8Array(1), shards);
}
