import { type RecordPages, word } from './record-pages.ts';

/*
 * When each version in grace was last accepted here: what finishing a rotation asks for. Found by record when it
 * is noted, and by key id when it is asked for, so entries hash by the key id that stands in the record: an
 * open-addressing table of (record, time), 12 bytes a slot, at most half full. Only versions in grace that are
 * really used have an entry, and it goes when they leave grace, so a fleet at rest costs nothing.
 *
 * Key ids are made by the authority from chance, not chosen by callers, so their own bits may be the hash.
 */

const capacityMin = 16;

export class GraceUses {
  readonly #records: RecordPages;
  #slots = new Int32Array(capacityMin);
  #timesMs = new Float64Array(capacityMin);
  #used = 0;

  constructor(records: RecordPages) {
    this.#records = records;
  }

  get bytes(): number {
    return this.#slots.byteLength + this.#timesMs.byteLength;
  }

  get size(): number {
    return this.#used;
  }

  /** Remembers the later of this use and what was noted before. */
  note(record: number, atMs: number): void {
    let at = this.#slotOf(record);
    if (this.#slots[at] === 0) {
      if ((this.#used + 1) * 2 > this.#slots.length) {
        this.#grow();
        at = this.#slotOf(record);
      }
      this.#used += 1;
      this.#slots[at] = record;
      this.#timesMs[at] = atMs;
    } else if (!((this.#timesMs[at] ?? 0) >= atMs)) {
      this.#timesMs[at] = atMs;
    }
  }

  /** The record left grace or is about to be released; its key id still stands in it. */
  forget(record: number): void {
    if (this.#used === 0) return;
    const mask = this.#slots.length - 1;
    let hole = this.#slotOf(record);
    if (this.#slots[hole] === 0) return;
    this.#used -= 1;
    for (let at = (hole + 1) & mask; this.#slots[at] !== 0; at = (at + 1) & mask) {
      const home = this.#homeOf(this.#slots[at] ?? 0);
      if (((at - home) & mask) >= ((at - hole) & mask)) {
        this.#slots[hole] = this.#slots[at] ?? 0;
        this.#timesMs[hole] = this.#timesMs[at] ?? 0;
        hole = at;
      }
    }
    this.#slots[hole] = 0;
  }

  /** The latest use of any version in grace of this key, or null. */
  latestOf(id: Int32Array): number | null {
    const mask = this.#slots.length - 1;
    let latestMs: number | null = null;
    for (let at = homeOf(id[2] ?? 0, id[3] ?? 0, mask); this.#slots[at] !== 0; at = (at + 1) & mask) {
      const useMs = this.#timesMs[at] ?? 0;
      if (this.#isOf(this.#slots[at] ?? 0, id) && (latestMs === null || useMs > latestMs)) latestMs = useMs;
    }
    return latestMs;
  }

  *[Symbol.iterator](): Generator<readonly [record: number, atMs: number]> {
    for (let at = 0; at < this.#slots.length; at += 1) {
      const record = this.#slots[at] ?? 0;
      if (record !== 0) yield [record, this.#timesMs[at] ?? 0];
    }
  }

  #slotOf(record: number): number {
    const mask = this.#slots.length - 1;
    let at = this.#homeOf(record);
    while (this.#slots[at] !== 0 && this.#slots[at] !== record) at = (at + 1) & mask;
    return at;
  }

  #homeOf(record: number): number {
    const low = this.#records.get(record, word.keyId + 2);
    return homeOf(low, this.#records.get(record, word.keyId + 3), this.#slots.length - 1);
  }

  #isOf(record: number, id: Int32Array): boolean {
    for (let at = 0; at < 4; at += 1) {
      if (this.#records.get(record, word.keyId + at) !== id[at]) return false;
    }
    return true;
  }

  #grow(): void {
    const entries = [...this];
    this.#slots = new Int32Array(this.#slots.length * 2);
    this.#timesMs = new Float64Array(this.#slots.length);
    for (const [record, atMs] of entries) {
      const at = this.#slotOf(record);
      this.#slots[at] = record;
      this.#timesMs[at] = atMs;
    }
  }
}

function homeOf(idWord2: number, idWord3: number, mask: number): number {
  const mixed = Math.imul(idWord2 ^ Math.imul(idWord3, 0x85ebca6b), 0x9e3779b1);
  return (mixed ^ (mixed >>> 16)) & mask;
}
