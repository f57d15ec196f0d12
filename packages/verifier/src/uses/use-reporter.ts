import { usesBatchMs, usesPassedOnMax, usesPerAskMax } from '../limits.ts';
import type { KeyUse } from './key-use.ts';

/*
 * Tells the authority which versions of rotating keys are in use, by the asks for the lease. So there is no way to a
 * lease on which uses are not told, whatever the transport, and a verifier that is heard of has told its own: an ask
 * carries what was accepted up to a second before it. What a verifier that is cut off has accepted since, nobody
 * knows until it is back; the authority goes by its silence (SPEC.md, rule 15).
 *
 * A batch is kept until an answer says that it was taken, and told again until then. It is told of in every other ask
 * only, if the one with it failed: a relay that can't read uses must cost no lease.
 *
 * A relay also passes on what those behind it have told, and holds a bounded number of them; past that it takes none,
 * and whoever told them keeps them. Of two uses of one version the first and the last are kept.
 */
export class UseReporter {
  readonly #take: (countMax: number) => readonly KeyUse[];
  readonly #clock: { monotonicMs(): number };
  readonly #passedOn = new Map<string, { readonly first: KeyUse; readonly last: KeyUse }>();
  #batch: readonly KeyUse[] = [];
  #nextAtMs = Number.NEGATIVE_INFINITY;
  #hasFailed = false;

  /** `take`: the verifier's own, each handed out once. */
  constructor(take: (countMax: number) => readonly KeyUse[], clock: { monotonicMs(): number }) {
    this.#take = take;
    this.#clock = clock;
  }

  /** Those of verifiers behind this one. False: there is no room for all of them, and none were taken. */
  passOn(uses: readonly KeyUse[]): boolean {
    if (this.#passedOn.size + uses.length > usesPassedOnMax) return false;
    for (const use of uses) {
      const name = `${use.keyId} ${use.version}`;
      const { first, last } = this.#passedOn.get(name) ?? { first: use, last: use };
      this.#passedOn.set(name, {
        first: use.atMs < first.atMs ? use : first,
        last: use.atMs > last.atMs ? use : last,
      });
    }
    return true;
  }

  /** What the next ask is to carry; undefined: nothing. */
  next(): readonly KeyUse[] | undefined {
    if (this.#hasFailed) {
      this.#hasFailed = false;
      return undefined;
    }
    if (this.#batch.length === 0) this.#fill();
    return this.#batch.length === 0 ? undefined : this.#batch;
  }

  /** What the last ask is to carry, however soon after another it comes: as much of what waits as one can. */
  last(): readonly KeyUse[] | undefined {
    this.#nextAtMs = Number.NEGATIVE_INFINITY;
    this.#hasFailed = false;
    return this.next();
  }

  /** How the ask with this batch ended. */
  told(batch: readonly KeyUse[], how: 'taken' | 'not_taken' | 'failed'): void {
    if (batch !== this.#batch) return;
    if (how === 'taken') this.#batch = [];
    else if (how === 'failed') this.#hasFailed = true;
  }

  #fill(): void {
    const nowMs = this.#clock.monotonicMs();
    if (nowMs < this.#nextAtMs) return;
    const batch: KeyUse[] = [];
    for (const [name, { first, last }] of this.#passedOn) {
      if (batch.length + 2 > usesPerAskMax) break;
      this.#passedOn.delete(name);
      batch.push(first);
      if (last !== first) batch.push(last);
    }
    batch.push(...this.#take(usesPerAskMax - batch.length));
    this.#batch = batch;
    // A full one: more are waiting, and go with the next ask.
    if (batch.length < usesPerAskMax - 1) this.#nextAtMs = nowMs + usesBatchMs;
  }
}
