import { ManualRuntime } from './manual-runtime.ts';

interface Sleeper {
  readonly untilMs: number;
  readonly wake: () => void;
}

/** Time that stands still until it is moved on: who sleeps is woken when their time has come, and in that order. */
export class SteppedRuntime extends ManualRuntime {
  readonly #sleepers = new Set<Sleeper>();
  #onAsleep: (() => void) | undefined;

  override sleep(delayMs: number, signal?: AbortSignal): Promise<void> {
    return new Promise((resolve, reject) => {
      if (signal?.aborted === true) return reject(signal.reason);
      this.pausesMs.push(delayMs);
      const sleeper = { untilMs: this.nowMs + delayMs, wake: resolve };
      this.#sleepers.add(sleeper);
      signal?.addEventListener('abort', () => {
        this.#sleepers.delete(sleeper);
        reject(signal.reason);
      });
      this.#onAsleep?.();
    });
  }

  /** Resolves once somebody sleeps. */
  async asleep(): Promise<void> {
    if (this.#sleepers.size > 0) return;
    await new Promise<void>((resolve) => {
      this.#onAsleep = resolve;
    });
    this.#onAsleep = undefined;
  }

  /** Moves time on, sleep by sleep, and resolves when everybody sleeps again. */
  async advance(byMs: number): Promise<void> {
    const endMs = this.nowMs + byMs;
    for (;;) {
      await this.asleep();
      const [next] = [...this.#sleepers].sort((a, b) => a.untilMs - b.untilMs);
      if (next === undefined || next.untilMs > endMs) break;
      this.#sleepers.delete(next);
      this.nowMs = next.untilMs;
      next.wake();
      // Others may be asleep all the while, so what was woken is also given turns of the event loop to go on in.
      await turns();
      await this.asleep();
    }
    this.nowMs = endMs;
  }
}

async function turns(): Promise<void> {
  for (let turn = 0; turn < 8; turn += 1) await new Promise((resolve) => setImmediate(resolve));
}
