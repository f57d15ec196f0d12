/*
 * An open loop: what is due is done, whatever became of what was before it. Instants of a Poisson process, from a seed.
 */
export class Arrivals {
  readonly #random: () => number;
  readonly #work: () => void;
  #perSecond: number;
  #stopped = false;
  #ended: Promise<void> = Promise.resolve();

  constructor(perSecond: number, random: () => number, work: () => void) {
    this.#perSecond = perSecond;
    this.#random = random;
    this.#work = work;
  }

  start(): void {
    this.#ended = this.#run();
  }

  setRate(perSecond: number): void {
    this.#perSecond = perSecond;
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    await this.#ended;
  }

  async #run(): Promise<void> {
    let dueMs = performance.now();
    while (!this.#stopped) {
      const nowMs = performance.now();
      while (dueMs <= nowMs && !this.#stopped) {
        this.#work();
        dueMs += (-Math.log(1 - this.#random()) / this.#perSecond) * 1000;
      }
      await new Promise((resolve) => setTimeout(resolve, Math.min(50, Math.max(1, dueMs - nowMs))));
    }
  }
}
