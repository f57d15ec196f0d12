import { randomFillSync } from 'node:crypto';

/** The only way by which chance reaches the server's rooms. */
export interface Random {
  /** `count` bytes that nobody else has seen or will see. The caller owns the array. */
  bytes(count: number): Uint8Array;
}

/*
 * A call into the system's generator costs about a microsecond however few bytes it asks for, and minting one
 * key asks several times. So bytes are drawn in pages, and each is handed out once. What was handed out is
 * wiped from the page, since it may have become a secret that a heap dump should not show a second time.
 */
const pageBytes = 4096;

export class PooledRandom implements Random {
  readonly #page = new Uint8Array(pageBytes);
  #used = pageBytes;

  bytes(count: number): Uint8Array {
    if (!Number.isSafeInteger(count) || count < 0) throw new RangeError('count must be a whole number');
    if (count > pageBytes) return randomFillSync(new Uint8Array(count));
    if (this.#used + count > pageBytes) {
      randomFillSync(this.#page);
      this.#used = 0;
    }
    const end = this.#used + count;
    const taken = this.#page.slice(this.#used, end);
    this.#page.fill(0, this.#used, end);
    this.#used = end;
    return taken;
  }
}

export const systemRandom: Random = new PooledRandom();

/** A number in [0, 1) with 32 bits of chance: for jitter and sampling, not for secrets. */
export function unitInterval(random: Random): number {
  const [a = 0, b = 0, c = 0, d = 0] = random.bytes(4);
  return (((a << 24) | (b << 16) | (c << 8) | d) >>> 0) / 2 ** 32;
}
