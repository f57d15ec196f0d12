/** The only way by which wall time and monotonic time reach the server's rooms. */
export interface Clock {
  /** Unix milliseconds, whole. May jump when the machine's clock is set. */
  nowMs(): number;
  /** Milliseconds since some moment, with a fraction; never goes back. */
  monotonicMs(): number;
}

export const systemClock: Clock = Object.freeze({
  nowMs: () => Date.now(),
  monotonicMs: () => performance.now(),
});
