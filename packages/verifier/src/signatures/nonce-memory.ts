/*
 * The nonces of accepted requests, each until its signature expires: what makes a captured request work once and no more.
 *
 * Bounded, and it refuses when it is full, rather than forget a nonce that could still be replayed: the worse error is a
 * replay that passes because a flood has pushed the first one out. One key can fill only its share, so that a holder who
 * signs without end takes nobody else's room.
 *
 * Its reach is this process. Several verifiers that serve one name have a memory each, so a request captured between
 * client and proxy may pass once at each of them within its seconds; and one that is started anew has forgotten. What
 * bounds both is `expires`, and what is signed: the same request, to the same URI, with the same content.
 */

export interface NonceMemoryLimits {
  readonly entriesMax: number;
  readonly perKeyMax: number;
}

export class NonceMemory {
  readonly #limits: NonceMemoryLimits;
  /** Of each nonce when it may go. */
  readonly #seen = new Map<string, number>();
  /** By the second in which they expire, to be dropped a second at a time. */
  readonly #bySecond = new Map<number, string[]>();
  readonly #countOfKey = new Map<string, number>();
  /** Everything that expired before it is forgotten; never moves back, whatever the clock does. */
  #forgottenBefore = 0;

  constructor(limits: NonceMemoryLimits) {
    this.#limits = limits;
  }

  get size(): number {
    return this.#seen.size;
  }

  has(keyId: string, nonce: string): boolean {
    return this.#seen.has(entryOf(keyId, nonce));
  }

  /** A signature that expires in this second might have been forgotten already: it counts as expired. */
  hasForgotten(expires: number): boolean {
    return expires <= this.#forgottenBefore;
  }

  /** Is there room for one more of this key? Makes some first: `latestMs` is the latest that the time may be. */
  hasRoom(keyId: string, latestMs: number): boolean {
    this.#forget(Math.floor(latestMs / 1000));
    const { entriesMax, perKeyMax } = this.#limits;
    return this.#seen.size < entriesMax && (this.#countOfKey.get(keyId) ?? 0) < perKeyMax;
  }

  /** `expires` in Unix seconds. */
  note(keyId: string, nonce: string, expires: number): void {
    const entry = entryOf(keyId, nonce);
    this.#seen.set(entry, expires);
    this.#countOfKey.set(keyId, (this.#countOfKey.get(keyId) ?? 0) + 1);
    const others = this.#bySecond.get(expires);
    if (others === undefined) this.#bySecond.set(expires, [entry]);
    else others.push(entry);
  }

  /** Seconds that have passed for sure. There are never more of them than a signature lives, and the skew. */
  #forget(second: number): void {
    if (second <= this.#forgottenBefore) return;
    this.#forgottenBefore = second;
    for (const [expires, entries] of this.#bySecond) {
      if (expires > second) continue;
      this.#bySecond.delete(expires);
      for (const entry of entries) {
        this.#seen.delete(entry);
        this.#uncount(entry.slice(0, entry.indexOf(' ')));
      }
    }
  }

  #uncount(keyId: string): void {
    const left = (this.#countOfKey.get(keyId) ?? 0) - 1;
    if (left > 0) this.#countOfKey.set(keyId, left);
    else this.#countOfKey.delete(keyId);
  }
}

/** A key id holds no blank. */
function entryOf(keyId: string, nonce: string): string {
  return `${keyId} ${nonce}`;
}
