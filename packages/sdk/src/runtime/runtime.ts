/** Time and randomness as the client sees them; tests bring their own, so that none of them waits. */
export interface Runtime {
  /** Milliseconds that never jump, for timeouts and deadlines. */
  monotonicMs(): number;
  /** Unix milliseconds, for a Retry-After that names a date. */
  wallMs(): number;
  /** 0 ≤ x < 1, for jitter. */
  random(): number;
  /** A fresh Idempotency-Key. Unguessable, because the stored reply is encrypted under it. */
  newIdempotencyKey(): string;
  /** What makes a signature count once: at least 96 bits of chance, 16 to 64 characters. */
  newNonce(): string;
  /** Runs `act` after `delayMs`; the function that comes back calls it off. */
  setTimer(delayMs: number, act: () => void): () => void;
  /** Resolves after `delayMs`; rejects with the signal's reason as soon as it is aborted. */
  sleep(delayMs: number, signal?: AbortSignal): Promise<void>;
}
