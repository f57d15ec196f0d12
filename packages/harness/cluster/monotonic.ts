/**
 * Milliseconds of CLOCK_MONOTONIC. On Linux it is one clock for all processes of a machine, so what two of them wrote
 * down can be put in order.
 */
export function monotonicMs(): number {
  return Number(process.hrtime.bigint()) / 1e6;
}
