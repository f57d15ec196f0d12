/** A thing as it was from one commit to the next. */
export interface Moment<State> {
  /** True time of the commit. */
  readonly atMs: number;
  readonly state: State;
}

/** All states of one thing, in the order of their commits. */
export class History<State> {
  readonly #moments: Moment<State>[] = [];

  add(atMs: number, state: State): void {
    this.#moments.push({ atMs, state });
  }

  get last(): Moment<State> | undefined {
    return this.#moments.at(-1);
  }

  get moments(): readonly Moment<State>[] {
    return this.#moments;
  }

  /** Those that were current at some instant between the two, both included. */
  between(fromMs: number, toMs: number): readonly Moment<State>[] {
    const found: Moment<State>[] = [];
    for (let at = this.#moments.length - 1; at >= 0; at -= 1) {
      const moment = this.#moments[at];
      if (moment === undefined || moment.atMs > toMs) continue;
      found.push(moment);
      if (moment.atMs <= fromMs) break;
    }
    return found;
  }

  /**
   * Those that a verifier may still go by at an instant: the last one, and each before it whose successor was committed
   * so short a time ago (`livesMs` of the successor's commit) that a lease from before it may live.
   */
  believable(nowMs: number, livesUntilMs: (commitMs: number) => number): readonly Moment<State>[] {
    const found: Moment<State>[] = [];
    for (let at = this.#moments.length - 1; at >= 0; at -= 1) {
      const moment = this.#moments[at];
      if (moment === undefined || moment.atMs > nowMs) continue;
      found.push(moment);
      if (livesUntilMs(moment.atMs) < nowMs) break;
    }
    return found;
  }
}
