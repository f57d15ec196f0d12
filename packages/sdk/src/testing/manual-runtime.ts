import type { Runtime } from '../runtime/runtime.ts';

/** Time that only moves when it is told to: a pause is over at once and is remembered, a timer fires by hand. */
export class ManualRuntime implements Runtime {
  nowMs = 0;
  readonly wallStartMs = Date.UTC(2030, 0, 1);
  readonly pausesMs: number[] = [];
  readonly timers = new Map<() => void, number>();
  #keys = 0;
  readonly #random: number;

  constructor(random = 0.5) {
    this.#random = random;
  }

  monotonicMs(): number {
    return this.nowMs;
  }

  wallMs(): number {
    return this.wallStartMs + this.nowMs;
  }

  random(): number {
    return this.#random;
  }

  newIdempotencyKey = (): string => {
    this.#keys += 1;
    return `fresh-${this.#keys}`;
  };

  newNonce = (): string => {
    this.#keys += 1;
    return `fresh-nonce-${String(this.#keys).padStart(6, '0')}`;
  };

  setTimer(delayMs: number, act: () => void): () => void {
    this.timers.set(act, delayMs);
    return () => this.timers.delete(act);
  }

  async sleep(delayMs: number, signal?: AbortSignal): Promise<void> {
    signal?.throwIfAborted();
    this.pausesMs.push(delayMs);
    this.nowMs += delayMs;
  }

  /** Fires every timer that is set, each as if its time had come. */
  fireTimers(): void {
    for (const [act, delayMs] of [...this.timers]) {
      this.nowMs += delayMs;
      this.timers.delete(act);
      act();
    }
  }
}
