import type { Timers } from '../runtime/timers.ts';

/** Gives a permit back. Calling it twice is the same as once. */
export type Release = () => void;

export interface PermitLimits {
  readonly count: number;
  /** How many more there are for those who have waited for `overdueMs`. */
  readonly extra: number;
  readonly overdueMs: number;
}

interface Waiting {
  readonly go: () => void;
  readonly cancel: () => void;
}

/**
 * Permits, handed out in the order in which they were asked for. Some are kept for when nobody comes to an end: then who has
 * waited for long gets one of these, and it stays in use for as long as others wait.
 */
export class Permits {
  readonly #limits: PermitLimits;
  readonly #timers: Timers;
  readonly #waiting: Waiting[] = [];
  #inUse = 0;

  constructor(limits: PermitLimits, timers: Timers) {
    this.#limits = limits;
    this.#timers = timers;
  }

  async take(): Promise<Release> {
    if (this.#inUse < this.#limits.count) this.#inUse += 1;
    // Who releases hands its permit over without putting it back, so nobody can overtake the one that waits.
    else await this.#wait();
    let held = true;
    return () => {
      if (!held) return;
      held = false;
      const next = this.#waiting.shift();
      if (next === undefined) this.#inUse -= 1;
      else this.#admit(next);
    };
  }

  #wait(): Promise<void> {
    const { count, extra, overdueMs } = this.#limits;
    return new Promise((go) => {
      const cancel = this.#timers.after(overdueMs, () => {
        // The first in the line: whoever came before has waited for longer.
        const first = this.#inUse < count + extra ? this.#waiting.shift() : undefined;
        if (first === undefined) return;
        this.#inUse += 1;
        this.#admit(first);
      });
      this.#waiting.push({ go, cancel });
    });
  }

  #admit({ go, cancel }: Waiting): void {
    cancel();
    go();
  }
}
