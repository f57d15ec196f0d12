import { performance } from 'node:perf_hooks';
import type { VerifierClock } from '../verifier-port.ts';

/**
 * The machine's clocks, where the authority's wall clock is this machine's. Monotonic time is CLOCK_MONOTONIC (it
 * stands still while the machine is suspended, which the lease makes up for with the wall clock).
 */
export function systemVerifierClock(): VerifierClock {
  const wallMs = () => Date.now();
  return {
    isAuthority: true,
    monotonicMs: () => performance.now(),
    wallMs,
    earliestMs: wallMs,
    latestMs: wallMs,
  };
}
