/** Gives a permit back. Calling it twice is the same as once. */
export type Release = () => void;

/** A fixed number of permits, handed out in the order in which they were asked for. */
export class Permits {
  #free: number;
  readonly #waiting: (() => void)[] = [];

  constructor(count: number) {
    this.#free = count;
  }

  async take(): Promise<Release> {
    if (this.#free > 0) this.#free -= 1;
    // Who releases hands its permit over without putting it back, so nobody can overtake the one that waits.
    else await new Promise<void>((resolve) => this.#waiting.push(resolve));
    let held = true;
    return () => {
      if (!held) return;
      held = false;
      const next = this.#waiting.shift();
      if (next === undefined) this.#free += 1;
      else next();
    };
  }
}
