import type { VerifierClock } from '../verifier-port.ts';

/** A clock that stands until it is told to move: for tests, replays and simulations. */
export class ManualVerifierClock implements VerifierClock {
  #monotonicMs: number;
  #wallMs: number;
  /** Half the width of what the wall clock may be off by. */
  uncertaintyMs = 0;

  constructor(wallMs: number, monotonicMs = 1000) {
    this.#wallMs = wallMs;
    this.#monotonicMs = monotonicMs;
  }

  readonly isAuthority = true;

  monotonicMs(): number {
    return this.#monotonicMs;
  }

  wallMs(): number {
    return this.#wallMs;
  }

  earliestMs(): number {
    return this.#wallMs - this.uncertaintyMs;
  }

  latestMs(): number {
    return this.#wallMs + this.uncertaintyMs;
  }

  /** Time passes. */
  advance(ms: number): void {
    this.#monotonicMs += ms;
    this.#wallMs += ms;
  }

  /** Somebody sets the wall clock. */
  stepWall(ms: number): void {
    this.#wallMs += ms;
  }

  /** The machine sleeps: its monotonic clock doesn't notice. */
  suspend(ms: number): void {
    this.#wallMs += ms;
  }
}
