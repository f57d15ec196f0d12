import type { Timers } from '../runtime/timers.ts';

/** A sleep that others can end. A wake that comes while nobody sleeps ends the next sleep at once: none is lost. */
export class WakeableSleep {
  readonly #timers: Timers;
  #woken = false;
  #end: (() => void) | undefined;

  constructor(timers: Timers) {
    this.#timers = timers;
  }

  wake(): void {
    this.#woken = true;
    this.#end?.();
  }

  async sleep(ms: number): Promise<void> {
    if (!this.#woken) {
      const { promise, resolve } = Promise.withResolvers<void>();
      this.#end = resolve;
      const cancel = this.#timers.after(ms, resolve);
      await promise;
      cancel();
      this.#end = undefined;
    }
    this.#woken = false;
  }
}
