import { Queue } from '../uses/queue.ts';
import { type RecordPages, word } from './record-pages.ts';

/*
 * When each version in grace was last accepted here: what finishing a rotation asks for. Found by record when it
 * is noted, and by key id when it is asked for, so entries hash by the key id that stands in the record: an
 * open-addressing table of (record, time, time told, standing), 21 bytes a slot, at most half full. Only versions in
 * grace that are really used have an entry, and it goes when they leave grace, so a fleet at rest costs nothing.
 *
 * The authority is told of uses in batches, by whoever takes them from here (`takeDue`). A use is due at once, and then
 * rests: further ones of the same version are due when that time is over, the latest of them once. So what is told
 * of a version that is always in use is one line in so long, however often it is verified, and its last use is told for
 * certain. An entry stands in one queue at the most, so the queues are as long as there are entries.
 *
 * Key ids are made by the authority from chance, not chosen by callers, so their own bits may be the hash.
 */

const capacityMin = 16;
/** Nothing to tell; to be told; told of late. */
const standings = { idle: 0, due: 1, resting: 2 } as const;

export class GraceUses {
  readonly #records: RecordPages;
  #slots = new Int32Array(capacityMin);
  #timesMs = new Float64Array(capacityMin);
  /** The latest use that was handed out to be told. */
  #toldMs = new Float64Array(capacityMin);
  #standings = new Uint8Array(capacityMin);
  #used = 0;
  /** Records to be told of; those that were forgotten meanwhile are passed over. */
  readonly #due = new Queue<number>();
  readonly #resting = new Queue<{ readonly record: number; readonly untilMs: number }>();

  constructor(records: RecordPages) {
    this.#records = records;
  }

  get bytes(): number {
    const { byteLength } = this.#slots;
    return byteLength + this.#timesMs.byteLength * 2 + this.#standings.byteLength;
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
      this.#toldMs[at] = Number.NEGATIVE_INFINITY;
      this.#standings[at] = standings.idle;
    } else if (!((this.#timesMs[at] ?? 0) >= atMs)) {
      this.#timesMs[at] = atMs;
    }
    if (this.#standings[at] !== standings.idle) return;
    this.#standings[at] = standings.due;
    this.#due.add(record);
  }

  /**
   * Up to so many uses that are due, each handed out once; those of the same records rest from `nowMs` (monotonic) for
   * `restMs`.
   */
  takeDue(
    countMax: number,
    nowMs: number,
    restMs: number,
  ): readonly (readonly [record: number, atMs: number])[] {
    this.#wake(nowMs);
    const taken: (readonly [number, number])[] = [];
    while (taken.length < countMax) {
      const record = this.#due.take();
      if (record === undefined) break;
      const at = this.#slotOf(record);
      if (this.#slots[at] === 0 || this.#standings[at] !== standings.due) continue;
      const usedMs = this.#timesMs[at] ?? 0;
      taken.push([record, usedMs]);
      this.#toldMs[at] = usedMs;
      this.#standings[at] = standings.resting;
      this.#resting.add({ record, untilMs: nowMs + restMs });
    }
    return taken;
  }

  #wake(nowMs: number): void {
    for (let next = this.#resting.first; next !== undefined && next.untilMs <= nowMs; ) {
      this.#resting.take();
      const at = this.#slotOf(next.record);
      if (this.#slots[at] !== 0 && this.#standings[at] === standings.resting) {
        const isNews = (this.#timesMs[at] ?? 0) > (this.#toldMs[at] ?? 0);
        this.#standings[at] = isNews ? standings.due : standings.idle;
        if (isNews) this.#due.add(next.record);
      }
      next = this.#resting.first;
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
        this.#move(at, hole);
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

  #move(from: number, to: number): void {
    this.#slots[to] = this.#slots[from] ?? 0;
    this.#timesMs[to] = this.#timesMs[from] ?? 0;
    this.#toldMs[to] = this.#toldMs[from] ?? 0;
    this.#standings[to] = this.#standings[from] ?? 0;
  }

  #grow(): void {
    const before = {
      slots: this.#slots,
      timesMs: this.#timesMs,
      toldMs: this.#toldMs,
      standings: this.#standings,
    };
    const capacity = before.slots.length * 2;
    this.#slots = new Int32Array(capacity);
    this.#timesMs = new Float64Array(capacity);
    this.#toldMs = new Float64Array(capacity);
    this.#standings = new Uint8Array(capacity);
    for (const [from, record] of before.slots.entries()) {
      if (record === 0) continue;
      const at = this.#slotOf(record);
      this.#slots[at] = record;
      this.#timesMs[at] = before.timesMs[from] ?? 0;
      this.#toldMs[at] = before.toldMs[from] ?? 0;
      this.#standings[at] = before.standings[from] ?? 0;
    }
  }
}

function homeOf(idWord2: number, idWord3: number, mask: number): number {
  const mixed = Math.imul(idWord2 ^ Math.imul(idWord3, 0x85ebca6b), 0x9e3779b1);
  return (mixed ^ (mixed >>> 16)) & mask;
}
