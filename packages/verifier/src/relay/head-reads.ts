import { Fault } from '@keyswarm/core';
import type { LeaseAnswer } from '../feed/feed-source.ts';
import { headReadMsMax, headReadPauseMs, leaseWaitersMax, staleRetryAfterMs } from '../limits.ts';
import type { Timers } from '../runtime/timers.ts';

/*
 * One read of the heads for all who ask at about the same time. The one rule: an ask is answered by a read that
 * began after it came. One that is under way may have looked at the heads before something was acknowledged that
 * the asker has to hear of, so whoever comes meanwhile waits for the next.
 *
 * Between the beginnings of two reads there is a pause, which makes 200 of them a second at the most, however many
 * verifiers ask. A read that hangs is given up, and its askers are told so: another relay may do better.
 */

interface Round {
  readonly answer: Promise<LeaseAnswer>;
  readonly resolve: (answer: LeaseAnswer) => void;
  readonly reject: (error: unknown) => void;
  waiters: number;
}

export class HeadReads {
  readonly #read: () => Promise<LeaseAnswer>;
  readonly #timers: Timers;
  readonly #pauseMs: number;
  #next: Round | undefined;
  #running = false;
  #waiters = 0;
  #reads = 0;

  constructor(read: () => Promise<LeaseAnswer>, timers: Timers, pauseMs: number = headReadPauseMs) {
    this.#read = read;
    this.#timers = timers;
    this.#pauseMs = pauseMs;
  }

  /** Reads begun so far. */
  get reads(): number {
    return this.#reads;
  }

  async ask(): Promise<LeaseAnswer> {
    if (this.#waiters >= leaseWaitersMax) {
      throw new Fault('overloaded', { detail: 'As many verifiers as can be wait for the heads.' });
    }
    this.#waiters += 1;
    try {
      return await this.#join().answer;
    } finally {
      this.#waiters -= 1;
    }
  }

  #join(): Round {
    if (this.#next !== undefined) return this.#next;
    const { promise, resolve, reject } = Promise.withResolvers<LeaseAnswer>();
    const round = { answer: promise, resolve, reject, waiters: 0 };
    this.#next = round;
    if (!this.#running) {
      this.#running = true;
      void this.#drain();
    }
    return round;
  }

  async #drain(): Promise<void> {
    for (let round = this.#next; round !== undefined; round = this.#next) {
      // Whoever comes from here on joins the next round.
      this.#next = undefined;
      this.#reads += 1;
      const pause = this.#pauseMs > 0 ? this.#pause() : undefined;
      await this.#withinTime().then(round.resolve, round.reject);
      await pause;
    }
    this.#running = false;
  }

  #pause(): Promise<void> {
    return new Promise((resolve) => this.#timers.after(this.#pauseMs, resolve));
  }

  #withinTime(): Promise<LeaseAnswer> {
    const { promise, resolve, reject } = Promise.withResolvers<LeaseAnswer>();
    const cancel = this.#timers.after(headReadMsMax, () =>
      reject(
        new Fault('stale', {
          detail: 'The primary did not say in time how far the feed goes.',
          retryAfterMs: staleRetryAfterMs,
        }),
      ),
    );
    this.#read().then(resolve, reject);
    return promise.finally(cancel);
  }
}
