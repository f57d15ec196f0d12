/**
 * Chance that can be had again: the same seed and the same name give the same numbers. Every part of a simulation draws
 * from a stream of its own (`fork`), so that one more draw in one place does not shift those of all others.
 */
export class SeededRandom {
  readonly #name: string;
  #a: number;
  #b: number;
  #c: number;
  #d = 1;

  constructor(name: string) {
    this.#name = name;
    [this.#a, this.#b, this.#c] = wordsOf(name);
    for (let round = 0; round < 12; round += 1) this.#next32();
  }

  fork(name: string): SeededRandom {
    return new SeededRandom(`${this.#name}/${name}`);
  }

  /** [0, 1) */
  next(): number {
    return this.#next32() / 2 ** 32;
  }

  /** 0 to `below` - 1. */
  below(below: number): number {
    return Math.floor(this.next() * below);
  }

  between(low: number, high: number): number {
    return low + this.next() * (high - low);
  }

  chance(share: number): boolean {
    return this.next() < share;
  }

  pick<Item>(items: readonly Item[]): Item {
    if (items.length === 0) throw new RangeError('nothing to pick from');
    return items[this.below(items.length)] as Item;
  }

  /** By weight, of a table of names. */
  weighted<Name extends string>(weights: Readonly<Record<Name, number>>): Name {
    const entries = Object.entries(weights) as [Name, number][];
    let left = this.next() * entries.reduce((sum, [, weight]) => sum + weight, 0);
    for (const [name, weight] of entries) {
      left -= weight;
      if (left < 0) return name;
    }
    throw new RangeError('nothing to pick from');
  }

  /** As the product draws it: the port of chance. */
  bytes(count: number): Uint8Array {
    const bytes = new Uint8Array(count);
    for (let at = 0; at < count; at += 1) bytes[at] = this.#next32() >>> 24;
    return bytes;
  }

  /** sfc32, by Chris Doty-Humphrey: small, fast, and passes PractRand. */
  #next32(): number {
    const sum = (this.#a + this.#b + this.#d) | 0;
    this.#d = (this.#d + 1) | 0;
    this.#a = this.#b ^ (this.#b >>> 9);
    this.#b = (this.#c + (this.#c << 3)) | 0;
    this.#c = ((this.#c << 21) | (this.#c >>> 11)) + sum;
    this.#c |= 0;
    return sum >>> 0;
  }
}

/** FNV-1a, three times with different ends. */
function wordsOf(name: string): [number, number, number] {
  const word = (salt: string): number => {
    let hash = 0x811c9dc5;
    for (const unit of name + salt) hash = Math.imul(hash ^ unit.charCodeAt(0), 0x01000193);
    return hash | 0;
  };
  return [word('/a'), word('/b'), word('/c')];
}
