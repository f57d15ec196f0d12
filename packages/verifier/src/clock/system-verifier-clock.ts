import { performance } from 'node:perf_hooks';
import type { VerifierClock } from '../verifier-port.ts';

/** How the authority's clock differs from this machine's, as measured over the feed: offset ± RTT/2. */
export interface ClockOffset {
  /** Authority minus this machine. */
  readonly offsetMs: number;
  readonly uncertaintyMs: number;
}

export interface SystemClockOptions {
  /** Asked at every reading, so that the follower can refine it. Absent: this machine is the authority. */
  readonly offset?: (() => ClockOffset) | undefined;
}

/**
 * The machine's clocks. Monotonic time is CLOCK_MONOTONIC (it stands still while the machine is suspended, which
 * the lease makes up for with the wall clock); wall time is the system's, corrected by the offset.
 */
export function systemVerifierClock(options: SystemClockOptions = {}): VerifierClock {
  const { offset } = options;
  const monotonicMs = () => performance.now();
  if (offset === undefined) {
    return { monotonicMs, earliestMs: () => Date.now(), latestMs: () => Date.now() };
  }
  return {
    monotonicMs,
    earliestMs() {
      const { offsetMs, uncertaintyMs } = offset();
      return Date.now() + offsetMs - uncertaintyMs;
    },
    latestMs() {
      const { offsetMs, uncertaintyMs } = offset();
      return Date.now() + offsetMs + uncertaintyMs;
    },
  };
}
