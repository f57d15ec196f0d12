import { Fault } from '@keyswarm/core';
import { catchUpWaitersMax, catchUpWaitMsMax, staleRetryAfterMs } from '../limits.ts';
import type { Timers } from '../runtime/timers.ts';

export interface CatchUpWaiter {
  readonly resolve: () => void;
  readonly reject: (fault: Fault) => void;
  /** It has been answered, by a round or by its deadline. */
  left: boolean;
}

/** Callers that wait for a round of the follower. Bounded in number and in time. */
export class CatchUpWaiters {
  readonly #timers: Timers;
  readonly #waiting = new Set<CatchUpWaiter>();
  /** Waiting or taken by the round under way. */
  #count = 0;

  constructor(timers: Timers) {
    this.#timers = timers;
  }

  join(): Promise<void> {
    if (this.#count >= catchUpWaitersMax) return Promise.reject(stale());
    this.#count += 1;
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    const leave = () => {
      cancel();
      waiter.left = true;
      this.#waiting.delete(waiter);
      this.#count -= 1;
    };
    const waiter: CatchUpWaiter = { resolve, reject, left: false };
    const cancel = this.#timers.after(catchUpWaitMsMax, () => reject(stale()));
    this.#waiting.add(waiter);
    return promise.finally(leave);
  }

  /** All who wait now. Those who come later need a later round. */
  take(): readonly CatchUpWaiter[] {
    const taken = [...this.#waiting];
    this.#waiting.clear();
    return taken;
  }

  /** The round came to nothing; those whose time has run out meanwhile are gone. */
  putBack(taken: readonly CatchUpWaiter[]): void {
    for (const waiter of taken) if (!waiter.left) this.#waiting.add(waiter);
  }

  resolve(taken: readonly CatchUpWaiter[]): void {
    for (const waiter of taken) waiter.resolve();
  }

  rejectAll(fault: Fault): void {
    for (const waiter of this.take()) waiter.reject(fault);
  }
}

function stale(): Fault {
  return new Fault('stale', {
    detail: 'The latest changes could not be read in time.',
    retryAfterMs: staleRetryAfterMs,
  });
}
