import { systemVerifierClock } from '../../clock/system-verifier-clock.ts';
import type { CancelTimer, Timers } from '../../runtime/timers.ts';
import { systemTimers } from '../../runtime/timers.ts';
import type { VerifierClock } from '../../verifier-port.ts';

/** The machine's clock, which runs by itself, and can be put forward: half a minute of lease ends in a step. */
export class SteppedClock implements VerifierClock {
  readonly isAuthority = true;
  readonly #machine = systemVerifierClock();
  #aheadMs = 0;

  advance(ms: number): void {
    this.#aheadMs += ms;
  }

  monotonicMs(): number {
    return this.#machine.monotonicMs() + this.#aheadMs;
  }

  wallMs(): number {
    return this.#machine.wallMs() + this.#aheadMs;
  }

  earliestMs(): number {
    return this.wallMs();
  }

  latestMs(): number {
    return this.wallMs();
  }
}

/** Everything that waits waits for a part of the time: a suite of outages has to end. */
export function hurried(share: number): Timers {
  return {
    after: (delayMs: number, run: () => void): CancelTimer => systemTimers.after(delayMs * share, run),
    every: (periodMs: number, run: () => void): CancelTimer => systemTimers.every(periodMs * share, run),
    sleep: (delayMs: number, signal?: AbortSignal) => systemTimers.sleep(delayMs * share, signal),
  };
}
