import type { IndexSeed } from '../clock/index-seed.ts';
import { type RecordPages, word } from './record-pages.ts';

/*
 * From fingerprint to record: an open-addressing table of 32-bit slots, each a record number (27 bits) and a tag
 * (5 bits of the hash), zero when empty. Collisions go to the next slot; the tag spares 31 of 32 visits to a
 * record that isn't the one.
 *
 * The home slot is a secret hash of the fingerprint. A minted fingerprint is the output of SHA-256 and would need
 * none, but an importer *chooses* the bytes it calls a fingerprint: a million of them with the same first word
 * would turn one probe into a walk of a million slots, for everybody. So the bytes go through NH (the universal
 * hash of UMAC, RFC 4418) with 16-bit halves: whatever two fingerprints are chosen, they share a hash with a
 * chance of 2^-16 over the secret, so that five million hostile ones make a walk of some 76. It costs about 5 ns.
 * How long a probe takes is no oracle either: a guess is hashed with SHA-256 first, and no step leads from one
 * guess to a closer one.
 *
 * The hash is scaled to the capacity, which therefore needn't be a power of two: the index grows by a quarter
 * when it is 2/3 full, and costs 6.1 to 7.6 bytes a version instead of 6 to 12.
 *
 * It grows without a pause. The old slots stay readable beside the new ones, and each insertion carries eight
 * records over; there are always enough insertions left to finish before the next growth (2/3 of the old capacity
 * must move during 1/6 of it, so four each would do). Meanwhile a record may stand in the old slots, the new, or
 * both; what the old ones say of released records is harmless, because a match is always one of all 16 bytes in
 * the record itself. Both together are at most 13.7 bytes a version. When no insertions come, `settle` is called
 * from time to time, so that a table at rest isn't left with both.
 */

const loadMax = 0.66;
const growth = 1.25;
const capacityMin = 256;
const movesPerInsert = 8;
const hashRange = 2 ** 32;
/** Spreads the sum of NH over all bits; any odd number would keep its guarantee. */
const spread = 0x9e3779b1;

export class FingerprintIndex {
  readonly #records: RecordPages;
  #slots = new Int32Array(capacityMin);
  #scale = capacityMin / hashRange;
  #used = 0;
  /** The slots that are being left; empty when no growth is under way. */
  #old = noSlots;
  #oldScale = 0;
  #nextToMove = 0;
  #moveEnd = 0;
  readonly #s0: number;
  readonly #s1: number;
  readonly #s2: number;
  readonly #s3: number;
  readonly #s4: number;
  readonly #s5: number;
  readonly #s6: number;
  readonly #s7: number;

  constructor(records: RecordPages, seed: IndexSeed) {
    this.#records = records;
    const [s0 = 0, s1 = 0, s2 = 0, s3 = 0, s4 = 0, s5 = 0, s6 = 0, s7 = 0] = seed;
    this.#s0 = s0;
    this.#s1 = s1;
    this.#s2 = s2;
    this.#s3 = s3;
    this.#s4 = s4;
    this.#s5 = s5;
    this.#s6 = s6;
    this.#s7 = s7;
  }

  get bytes(): number {
    return this.#slots.byteLength + this.#old.byteLength;
  }

  /** A live record with exactly these 16 bytes, or 0. */
  find(w0: number, w1: number, w2: number, w3: number): number {
    const slots = this.#slots;
    const hash = this.#hash(w0, w1, w2, w3);
    const tag = hash & 31;
    let at = ((hash >>> 0) * this.#scale) | 0;
    for (;;) {
      const slot = slots[at] ?? 0;
      if (slot === 0) break;
      if ((slot & 31) === tag && this.#holds(slot >>> 5, w0, w1, w2, w3)) return slot >>> 5;
      at += 1;
      if (at === slots.length) at = 0;
    }
    return this.#old.length === 0 ? 0 : this.#findOld(w0, w1, w2, w3);
  }

  /** Every live record with these 16 bytes: more than one only when the same secret belongs to two keys. */
  findAll(w0: number, w1: number, w2: number, w3: number): readonly number[] {
    const found = new Set<number>();
    const hash = this.#hash(w0, w1, w2, w3) >>> 0;
    for (const [slots, scale] of [
      [this.#slots, this.#scale],
      [this.#old, this.#oldScale],
    ] as const) {
      if (slots.length === 0) continue;
      for (let at = (hash * scale) | 0; slots[at] !== 0; at = at + 1 === slots.length ? 0 : at + 1) {
        const record = (slots[at] ?? 0) >>> 5;
        if (this.#records.isLive(record) && this.#holds(record, w0, w1, w2, w3)) found.add(record);
      }
    }
    return [...found];
  }

  /** The record's fingerprint has been written, and the record is not in the index. */
  insert(record: number): void {
    this.#used += 1;
    if (this.#used > this.#slots.length * loadMax) this.#startGrowth();
    this.#place(record);
    if (this.#old.length !== 0) this.#moveSome(movesPerInsert);
  }

  /** The record is in the index and its fingerprint still stands in it. */
  remove(record: number): void {
    this.#used -= 1;
    const slots = this.#slots;
    let hole = this.#homeOf(record);
    while (slots[hole] !== 0 && (slots[hole] ?? 0) >>> 5 !== record) hole = this.#after(hole);
    // Not carried over yet: the old slot is left as it is, and never matches once the record is released.
    if (slots[hole] === 0) return;
    for (let at = this.#after(hole); slots[at] !== 0; at = this.#after(at)) {
      const slot = slots[at] ?? 0;
      if (this.#distance(this.#homeOf(slot >>> 5), at) >= this.#distance(hole, at)) {
        slots[hole] = slot;
        hole = at;
      }
    }
    slots[hole] = 0;
  }

  /** Carries on with a growth that is under way, for as many records. True when none is. */
  settle(recordsMax: number): boolean {
    if (this.#old.length !== 0) this.#moveSome(recordsMax);
    return this.#old.length === 0;
  }

  /** The most slots that any look-up can walk: what hostile fingerprints would want to drive up. */
  longestRun(): number {
    let longest = 0;
    let run = 0;
    for (const slot of this.#slots) {
      run = slot === 0 ? 0 : run + 1;
      longest = Math.max(longest, run);
    }
    return longest;
  }

  #findOld(w0: number, w1: number, w2: number, w3: number): number {
    const old = this.#old;
    const hash = this.#hash(w0, w1, w2, w3);
    const tag = hash & 31;
    let at = ((hash >>> 0) * this.#oldScale) | 0;
    for (let slot = old[at] ?? 0; slot !== 0; slot = old[at] ?? 0) {
      const record = slot >>> 5;
      if ((slot & 31) === tag && this.#records.isLive(record) && this.#holds(record, w0, w1, w2, w3))
        return record;
      at = at + 1 === old.length ? 0 : at + 1;
    }
    return 0;
  }

  #holds(record: number, w0: number, w1: number, w2: number, w3: number): boolean {
    const page = this.#records.pageOf(record);
    const from = this.#records.offsetOf(record);
    return page[from] === w0 && page[from + 1] === w1 && page[from + 2] === w2 && page[from + 3] === w3;
  }

  #startGrowth(): void {
    if (this.#old.length !== 0) this.#moveSome(Number.POSITIVE_INFINITY);
    this.#old = this.#slots;
    this.#oldScale = this.#scale;
    this.#slots = new Int32Array(Math.ceil(this.#slots.length * growth));
    this.#scale = this.#slots.length / hashRange;
    this.#nextToMove = 1;
    this.#moveEnd = this.#records.end;
  }

  #moveSome(count: number): void {
    const end = Math.min(this.#moveEnd, this.#nextToMove + count);
    while (this.#nextToMove < end) {
      if (this.#records.isLive(this.#nextToMove)) this.#place(this.#nextToMove);
      this.#nextToMove += 1;
    }
    if (this.#nextToMove >= this.#moveEnd) this.#old = noSlots;
  }

  /** Puts a record in, unless it is there. */
  #place(record: number): void {
    const slots = this.#slots;
    const hash = this.#hashOf(record);
    const slot = (record << 5) | (hash & 31);
    let at = ((hash >>> 0) * this.#scale) | 0;
    while (slots[at] !== 0 && slots[at] !== slot) at = this.#after(at);
    slots[at] = slot;
  }

  #homeOf(record: number): number {
    return ((this.#hashOf(record) >>> 0) * this.#scale) | 0;
  }

  #hashOf(record: number): number {
    const page = this.#records.pageOf(record);
    const from = this.#records.offsetOf(record) + word.fingerprint;
    return this.#hash(page[from] ?? 0, page[from + 1] ?? 0, page[from + 2] ?? 0, page[from + 3] ?? 0);
  }

  #hash(w0: number, w1: number, w2: number, w3: number): number {
    const a = Math.imul((w0 + this.#s0) & 0xffff, ((w0 >>> 16) + this.#s1) & 0xffff);
    const b = Math.imul((w1 + this.#s2) & 0xffff, ((w1 >>> 16) + this.#s3) & 0xffff);
    const c = Math.imul((w2 + this.#s4) & 0xffff, ((w2 >>> 16) + this.#s5) & 0xffff);
    const d = Math.imul((w3 + this.#s6) & 0xffff, ((w3 >>> 16) + this.#s7) & 0xffff);
    // In 32 bits at every step, so that no sum becomes a float on the way.
    const sum = (((a + b) | 0) + ((c + d) | 0)) | 0;
    const hash = Math.imul(sum ^ (sum >>> 16), spread);
    return hash ^ (hash >>> 15);
  }

  #after(at: number): number {
    return at + 1 === this.#slots.length ? 0 : at + 1;
  }

  #distance(from: number, to: number): number {
    return to >= from ? to - from : to - from + this.#slots.length;
  }
}

const noSlots = new Int32Array(0);
