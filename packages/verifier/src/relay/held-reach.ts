import { Fault } from '@keyswarm/core';
import { formerReachesMax, rollSweepMs } from '../limits.ts';
import { bounded, coversReach, joinedReach, type Reach, reachText } from './reach.ts';

interface Former {
  readonly reach: Reach;
  /** Until when a lease may live that was given with it. */
  readonly untilMs: number;
}

/**
 * What a verifier may accept of: what it may read now, and what it might read before, for as long as a lease from then
 * may live. It loads a new table as soon as it hears that it may read less; one that is cut off at that moment has not heard.
 */
export class HeldReach {
  #now: Reach;
  #formers: readonly Former[] = [];
  #all: Reach;

  constructor(reach: Reach) {
    this.#now = bounded(reach);
    this.#all = this.#now;
  }

  /** The very same object for as long as nothing of it changes. */
  get all(): Reach {
    return this.#all;
  }

  /** @throws {Fault} `rate_limited` for one that is told to read less too often. */
  take(reach: Reach, nowMs: number, formerUntilMs: number): void {
    const next = bounded(reach);
    const isSame = reachText(next) === reachText(this.#now);
    if (isSame && this.#formers.length === 0) return;
    const before = isSame ? this.#formers : [...this.#formers, { reach: this.#now, untilMs: formerUntilMs }];
    const formers = before.filter(({ reach: former, untilMs }, index) => {
      const isRepeated = before.slice(index + 1).some((later) => coversReach(later.reach, former));
      return untilMs > nowMs && !coversReach(next, former) && !isRepeated;
    });
    if (formers.length > formerReachesMax) {
      throw new Fault('rate_limited', {
        detail: 'What this verifier may read has become less too often of late.',
        retryAfterMs: rollSweepMs,
      });
    }
    this.#now = next;
    this.#formers = formers;
    const all = joinedReach([next, ...formers.map((former) => former.reach)]);
    if (reachText(all) !== reachText(this.#all)) this.#all = all;
  }
}
