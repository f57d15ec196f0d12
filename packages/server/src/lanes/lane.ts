import { Fault } from '@keyswarm/core';
import type { CancelTimer } from '../runtime/timers.ts';
import { type BatchRunner, runBatch } from './batch-runner.ts';
import type { LaneEntry } from './lane-entry.ts';
import type { Permits } from './permits.ts';

/**
 * The queue of one shard, and the one loop that empties it, batch after batch. A batch is taken only when a
 * permit is there: what arrives in the meantime joins it, so batches grow by themselves as load grows.
 */
export class Lane {
  readonly #shard: number;
  readonly #runner: BatchRunner;
  readonly #permits: Permits;
  readonly #onTake: (shard: number) => void;
  #waiting: LaneEntry[] = [];
  #weight = 0;
  #running = false;
  #committing = false;
  #cancelExpiry: CancelTimer | undefined;
  readonly #idle: (() => void)[] = [];

  /** `onTake` hears when what waits is taken as a batch. */
  constructor(shard: number, runner: BatchRunner, permits: Permits, onTake: (shard: number) => void) {
    this.#shard = shard;
    this.#runner = runner;
    this.#permits = permits;
    this.#onTake = onTake;
  }

  /** Is one of its batches in a transaction? */
  get committing(): boolean {
    return this.#committing;
  }

  /** Weight that waits; what is in a transaction is not counted. */
  get depth(): number {
    return this.#weight;
  }

  /** When the oldest write that waits came; undefined while none does. */
  get oldestQueuedAtMs(): number | undefined {
    return this.#waiting[0]?.queuedAtMs;
  }

  /** A write heavier than the whole queue may only come while nothing else waits. */
  hasRoomFor(weight: number): boolean {
    return this.#weight === 0 || this.#weight + weight <= this.#runner.limits.queueWeightMax;
  }

  push(entry: LaneEntry): void {
    this.#waiting.push(entry);
    this.#addWeight(entry.write.weight);
    this.#armExpiry();
    if (this.#running) return;
    this.#running = true;
    // Requests that arrived in the same turn of the event loop share the first batch, too.
    setImmediate(() => void this.#drain());
  }

  /** Resolves when nothing waits and nothing runs. */
  whenIdle(): Promise<void> {
    return this.#running ? new Promise((resolve) => this.#idle.push(resolve)) : Promise.resolve();
  }

  async #drain(): Promise<void> {
    while (this.#waiting.length > 0) {
      const release = await this.#permits.take();
      try {
        await this.#runNext();
      } finally {
        release();
      }
    }
    this.#running = false;
    for (const resolve of this.#idle.splice(0)) resolve();
  }

  async #runNext(): Promise<void> {
    const batch = this.#takeBatch();
    const oldest = batch[0];
    if (oldest === undefined) return;
    const { clock, observer } = this.#runner;
    const startedMs = clock.monotonicMs();
    this.#committing = true;
    this.#onTake(this.#shard);
    const rows = await runBatch(this.#runner, this.#shard, batch);
    this.#committing = false;
    observer.committed({
      shard: this.#shard,
      writes: batch.length,
      weight: batch.reduce((sum, entry) => sum + entry.write.weight, 0),
      rows,
      durationMs: clock.monotonicMs() - startedMs,
      waitedMs: startedMs - oldest.queuedAtMs,
    });
  }

  /** From the front, as many as fit. The first one always does, however heavy. */
  #takeBatch(): readonly LaneEntry[] {
    let weight = 0;
    let count = 0;
    for (const entry of this.#waiting) {
      if (count > 0 && weight + entry.write.weight > this.#runner.limits.batchWeightMax) break;
      weight += entry.write.weight;
      count += 1;
    }
    const batch = this.#waiting.slice(0, count);
    this.#waiting = this.#waiting.slice(count);
    this.#addWeight(-weight);
    this.#armExpiry();
    return batch;
  }

  /** The oldest has the nearest deadline, so one timer a lane is enough. */
  #armExpiry(): void {
    const oldest = this.#waiting[0];
    if (oldest === undefined) {
      this.#cancelExpiry?.();
      this.#cancelExpiry = undefined;
      return;
    }
    if (this.#cancelExpiry !== undefined) return;
    const { clock, timers } = this.#runner;
    this.#cancelExpiry = timers.after(oldest.deadlineMs - clock.monotonicMs(), () => {
      this.#cancelExpiry = undefined;
      this.#expire();
    });
  }

  #expire(): void {
    const { clock, limits } = this.#runner;
    const nowMs = clock.monotonicMs();
    const alive = this.#waiting.findIndex((entry) => entry.deadlineMs > nowMs);
    const expired = alive < 0 ? this.#waiting : this.#waiting.slice(0, alive);
    this.#waiting = alive < 0 ? [] : this.#waiting.slice(alive);
    for (const entry of expired) {
      this.#addWeight(-entry.write.weight);
      const detail = 'The write waited for its turn too long.';
      const error = new Fault('overloaded', { detail, retryAfterMs: limits.retryAfterMs });
      entry.settle({ kind: 'refused', error });
    }
    this.#armExpiry();
  }

  #addWeight(weight: number): void {
    this.#weight += weight;
    this.#runner.observer.queued(this.#shard, this.#weight);
  }
}
