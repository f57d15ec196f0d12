import { bytesOfHex, Fault, hexOf, shardOfHash } from '@keyswarm/core';
import type { Head } from '../storage/statements/append-feed.ts';
import { findIdempotency, type KeptReply } from '../storage/statements/find-idempotency.ts';
import { insertIdempotency, type NewReply } from '../storage/statements/insert-idempotency.ts';
import { replaceReplies } from '../storage/statements/replace-replies.ts';
import type { Queryable } from '../storage/store.ts';
import { BatchRace } from './batch-writes.ts';
import type { Decided } from './decide-write.ts';
import type { LaneEntry, Outcome } from './lane-entry.ts';

/*
 * The replies of a batch: those that were kept for its requests before, and those that it keeps.
 *
 * A reply says where its change stands in the feed, and is sealed with that. But the place is certain only when the
 * head is held, and replies are to be inserted before that: who inserts one may have to wait for another process's
 * transaction, and must not hold a head meanwhile, for which that one may wait in turn. So they are sealed for the
 * place that this process expects, which is right unless another wrote to the shard in between; then they are
 * sealed again.
 */

export type KeptReplies = ReadonlyMap<string, KeptReply>;

export async function findKeptReplies(
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

export function keptFor(entry: LaneEntry, kept: KeptReplies): KeptReply | undefined {
  return entry.ticket && kept.get(entry.ticket.keyHashHex);
}

export function replayOf(entry: LaneEntry, kept: KeptReply): Outcome {
  if (kept.request_hash !== entry.ticket?.requestHashHex) {
    const detail = 'This Idempotency-Key was used before, for a request with another method, path or body.';
    return {
      kind: 'refused',
      error: new Fault('idempotency_mismatch', { detail, field: 'Idempotency-Key' }),
    };
  }
  try {
    const opened = entry.write.idempotency?.open(kept.reply);
    return { kind: 'done', receipt: { reply: opened?.reply, at: opened?.at ?? null, replayed: true } };
  } catch (error) {
    return { kind: 'refused', error };
  }
}

/** An entry that had no reply yet, and what it came to. */
export interface DecidedEntry {
  readonly entry: LaneEntry;
  readonly decided: Decided;
}

export interface KeepContext {
  readonly shard: number;
  readonly shards: number;
  readonly nowMs: number;
  readonly replyKeptMs: number;
}

/** The outcomes of a batch whose rows follow this head, in order. */
export function outcomesAfter(
  head: Head,
  decided: readonly DecidedEntry[],
  shard: number,
): readonly Outcome[] {
  let { seq } = head;
  return decided.map(({ decided: one }) => {
    if (one.kind === 'refused') return one;
    seq += one.rows.length;
    const at = one.rows.length === 0 ? null : { epoch: head.epoch, shard, seq };
    return { kind: 'done', receipt: { reply: one.reply, at, replayed: false } };
  });
}

export class ReplyKeeper {
  readonly #tx: Queryable;
  readonly #decided: readonly DecidedEntry[];
  readonly #context: KeepContext;
  #isInserted = false;

  constructor(tx: Queryable, decided: readonly DecidedEntry[], context: KeepContext) {
    this.#tx = tx;
    this.#decided = decided;
    this.#context = context;
  }

  /** Keeps the replies for rows that follow this head; called again, for another head, in place of those before. */
  async keepAfter(head: Head): Promise<void> {
    const replies = this.#sealedAfter(head);
    if (replies.length === 0) return;
    if (this.#isInserted) return replaceReplies(this.#tx, replies);
    const { nowMs, replyKeptMs } = this.#context;
    const times = { nowMs, expiresAtMs: nowMs + replyKeptMs };
    const kept = await insertIdempotency(this.#tx, replies, times);
    if (kept !== replies.length) throw new BatchRace('idempotency_race');
    this.#isInserted = true;
  }

  #sealedAfter(head: Head): readonly NewReply[] {
    const { shard, shards } = this.#context;
    const outcomes = outcomesAfter(head, this.#decided, shard);
    return this.#decided.flatMap(({ entry: { ticket, write } }, index) => {
      const outcome = outcomes[index];
      if (ticket === undefined || outcome?.kind !== 'done') return [];
      const { reply, at } = outcome.receipt;
      const sealed = write.idempotency?.seal({ reply, at });
      if (sealed === undefined) return [];
      return [{ ...ticket, shard: shardOfKeyHash(ticket.keyHashHex, shards), replyHex: hexOf(sealed) }];
    });
  }
}

/** Of the hash, not of the lane: one Idempotency-Key has one place, whatever it is used for. */
function shardOfKeyHash(keyHashHex: string, shards: number): number {
  return shardOfHash(bytesOfHex(keyHashHex.slice(-2), 1) ?? new Uint8Array(1), shards);
}
