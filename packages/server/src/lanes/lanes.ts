import { assert, Fault, type FaultCode, type FeedRow, hexOf, shardOfId } from '@keyswarm/core';
import type { Clock } from '../runtime/clock.ts';
import type { Timers } from '../runtime/timers.ts';
import type { Store } from '../storage/store.ts';
import type { BatchRunner } from './batch-runner.ts';
import { Lane } from './lane.ts';
import type { LaneEntry, Outcome } from './lane-entry.ts';
import { type LaneLimits, laneLimits } from './lane-limits.ts';
import { type LaneObserver, silentLaneObserver } from './lane-observer.ts';
import type { LaneReceipt, Lanes, LaneWrite } from './lane-port.ts';
import { Permits } from './permits.ts';
import { ShardTurns } from './shard-turns.ts';

/*
 * Group commit. A commit costs the same for one row as for five hundred (a flush of the log, the head row of the
 * feed, half a dozen round trips), so writes wait for each other: one lane a shard, and in each lane one
 * transaction at a time that takes all that waits, up to a bound. The first write that finds its lane idle goes
 * at once; a wait is never added to make a batch larger.
 *
 * What it promises:
 *  - each write has its own outcome. A fault, a bug or refused SQL of one never fails its neighbours.
 *  - a write that resolved is durable, and this process's resident table knows it.
 *  - one effect for one idempotency key, in this process and across all of them (the kept reply is inserted in
 *    the transaction of the effect).
 *  - a write ends: it waits `waitMsMax` at most, then runs under `transactionMsMax` a run, and a lost answer is
 *    looked for `outcomeMsMax` long. Only if the store stays unreachable all that time is the caller told
 *    `outcome_unknown`.
 *
 * What it trades: writes of one shard are decided one after another, so a heavy write delays its shard. What it is
 * not: a queue that survives. What waits here has been promised to nobody.
 */

export interface LanesOptions {
  readonly store: Store;
  readonly shards: number;
  readonly clock: Clock;
  readonly timers: Timers;
  /** Called with the rows of each committed batch, in the order of their numbers, before callers hear of it. */
  readonly onCommitted: (rows: readonly FeedRow[]) => void;
  readonly observer?: LaneObserver;
  readonly limits?: Partial<LaneLimits>;
}

export interface RunningLanes extends Lanes {
  /** Takes no more writes, and resolves when those it has are settled. */
  drain(): Promise<void>;
  /** Weight that waits in each lane. */
  depths(): readonly number[];
  /** How long the write that waits longest has waited; 0 while none does. */
  waitMs(): number;
}

export function createLanes(options: LanesOptions): RunningLanes {
  return new LaneSet(options);
}

class LaneSet implements RunningLanes {
  readonly #runner: BatchRunner;
  readonly #lanes: readonly Lane[];
  readonly #turns: ShardTurns;
  /** Idempotency keys whose first request is still under way in this process. */
  readonly #inFlight = new Set<string>();
  #draining = false;

  constructor(options: LanesOptions) {
    const limits = { ...laneLimits, ...options.limits };
    const { store, shards, clock, timers, onCommitted } = options;
    const observer = options.observer ?? silentLaneObserver;
    this.#runner = { store, shards, clock, timers, onCommitted, observer, limits, knownHeads: new Map() };
    const { transactionsMax: count, extraTransactionsMax: extra, overdueMs } = limits;
    const permits = new Permits({ count, extra, overdueMs }, timers);
    const lanes: Lane[] = [];
    const turns = new ShardTurns(lanes, limits.batchWeightMax);
    const onTake = (shard: number) => turns.taken(shard);
    for (let shard = 0; shard < shards; shard += 1) {
      lanes.push(new Lane(shard, this.#runner, permits, onTake));
    }
    this.#lanes = lanes;
    this.#turns = turns;
  }

  shardForNew(weight: number): number {
    return this.#turns.next(weight);
  }

  async submit<Reply>(write: LaneWrite<Reply>): Promise<LaneReceipt<Reply>> {
    // A lane hands the reply of a write back to that write alone, so it needn't know what a reply is.
    const erased = write as LaneWrite<unknown>;
    const lane = this.#laneOf(erased);
    this.#admit(erased, lane);
    const ticket = write.idempotency && {
      keyHashHex: hexOf(write.idempotency.keyHash),
      requestHashHex: hexOf(write.idempotency.requestHash),
    };
    if (ticket !== undefined) this.#enter(ticket.keyHashHex, write.shard);
    try {
      const outcome = await this.#queue(erased, ticket, lane);
      if (outcome.kind === 'done') return outcome.receipt as LaneReceipt<Reply>;
      this.#noteRefusal(write.shard, outcome.error);
      throw outcome.error;
    } finally {
      if (ticket !== undefined) this.#inFlight.delete(ticket.keyHashHex);
    }
  }

  async drain(): Promise<void> {
    this.#draining = true;
    await Promise.all(this.#lanes.map((lane) => lane.whenIdle()));
  }

  depths(): readonly number[] {
    return this.#lanes.map((lane) => lane.depth);
  }

  waitMs(): number {
    let oldestMs = Number.POSITIVE_INFINITY;
    for (const { oldestQueuedAtMs } of this.#lanes) {
      if (oldestQueuedAtMs !== undefined && oldestQueuedAtMs < oldestMs) oldestMs = oldestQueuedAtMs;
    }
    return oldestMs === Number.POSITIVE_INFINITY ? 0 : this.#runner.clock.monotonicMs() - oldestMs;
  }

  #laneOf(write: LaneWrite<unknown>): Lane {
    const lane = this.#lanes[write.shard];
    assert(lane !== undefined, 'a write names a shard that there is');
    assert(write.weight >= 1, 'a write weighs at least one row');
    for (const id of write.reads.keys ?? []) {
      assert(shardOfId(id, this.#lanes.length) === write.shard, 'a write locks only keys of its own shard');
    }
    return lane;
  }

  #admit(write: LaneWrite<unknown>, lane: Lane): void {
    if (this.#draining) throw this.#refusal('shutting_down', write.shard, 'The server is going down.');
    if (lane.hasRoomFor(write.weight)) return;
    throw this.#refusal('overloaded', write.shard, 'Too many writes wait for their turn.');
  }

  #enter(keyHashHex: string, shard: number): void {
    if (this.#inFlight.has(keyHashHex)) {
      const detail = 'The first request with this Idempotency-Key has not been answered yet.';
      throw this.#refusal('idempotency_in_progress', shard, detail);
    }
    this.#inFlight.add(keyHashHex);
  }

  #queue(write: LaneWrite<unknown>, ticket: LaneEntry['ticket'], lane: Lane): Promise<Outcome> {
    const queuedAtMs = this.#runner.clock.monotonicMs();
    const deadlineMs = queuedAtMs + this.#runner.limits.waitMsMax;
    return new Promise((settle) => lane.push({ write, ticket, queuedAtMs, deadlineMs, settle }));
  }

  #refusal(code: FaultCode, shard: number, detail: string): Fault {
    this.#runner.observer.refused(shard, code);
    return new Fault(code, { detail, retryAfterMs: this.#runner.limits.retryAfterMs });
  }

  #noteRefusal(shard: number, error: unknown): void {
    this.#runner.observer.refused(shard, error instanceof Fault ? error.code : 'internal');
  }
}
