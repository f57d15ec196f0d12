/*
 * One clock for everything that is recorded: CLOCK_MONOTONIC, which on Linux is the machine's and not the process's, so that
 * what two processes note can be compared. `performance.now()` is the same clock, counted from the start of the process.
 */

const originMs = Number(process.hrtime.bigint()) / 1e6 - performance.now();

/** Milliseconds of the machine's monotonic clock. */
export function monotonicMs(): number {
  return originMs + performance.now();
}

/** An instant of this process's `performance.now()`, on that clock. */
export function monotonicOf(performanceMs: number): number {
  return originMs + performanceMs;
}
