import { assert } from '@keyswarm/core';

/*
 * Where versions are kept: records of 64 bytes in pages of 65,536, addressed by a number that never
 * changes while the record lives. Sixteen 32-bit words:
 *
 *    0…3   fingerprint, the first 16 bytes of SHA-256 of the key string, big-endian
 *    4…7   key id, the 16 bytes of the UUID, big-endian
 *    8     end of the version: low 32 bits of Unix ms
 *    9     mint: low 32 bits of Unix ms
 *   10     high 16 bits of the end, high 16 bits of the mint
 *   11     revision of the key, or `wide` (then the true one stands aside)
 *   12     owner index (27 bits), standing (5 bits)
 *   13     scope-set index (27 bits), version number bits 19…15
 *   14     next version of the same key, a circle (27 bits), version number bits 14…10
 *   15     keyspace index (22 bits), version number bits 9…0
 *
 * A page is a growable SharedArrayBuffer of 4 MB, of which only what is needed is there. It is shared with nobody:
 * this is the one kind of buffer that grows in place, that starts at a memory page (so that a record is one cache
 * line, not parts of two), and that typed arrays read at full speed. Growth copies nothing and doubles nothing; the
 * last page grows by 1/64 of the table, so at most one byte a version is unused.
 * Rejected: one ArrayBuffer for all (growing it copies everything, 320 MB at five million versions); copying the
 * last page as it grows (garbage of a page at each step); `ArrayBuffer.prototype.transfer` (the first detached
 * buffer makes V8 check every typed array of the process for detachment from then on).
 *
 * Record 0 is never used: zero means "none" in links and in the index. A released record has revision 0 and is
 * threaded on the free list through its link word, so churn reuses memory and never shrinks it; a snapshot does.
 */

export const recordWords = 16;
const recordBytes = recordWords * Int32Array.BYTES_PER_ELEMENT;
const pageBits = 16;
const pageRecords = 1 << pageBits;
const pageMask = pageRecords - 1;
const growthStepMin = 64;
/** The last page grows by this part of the table. */
const growthShare = 64;

export const word = {
  fingerprint: 0,
  keyId: 4,
  endLow: 8,
  mintLow: 9,
  highs: 10,
  revision: 11,
  owner: 12,
  scopes: 13,
  link: 14,
  keyspace: 15,
} as const;

/** Record numbers and indices of interned things have 27 bits: 134 million. */
export const recordsMax = 2 ** 27 - 1;

export class RecordPages {
  readonly #buffers: SharedArrayBuffer[] = [];
  readonly #pages: Int32Array[] = [];
  #capacity = 0;
  #next = 1;
  #freeHead = 0;
  #live = 0;
  #bytes = 0;

  /** The page a record stands in; its words begin at `offsetOf(record)`. Not to be kept across an `allocate`. */
  pageOf(record: number): Int32Array {
    return this.#pages[record >>> pageBits] ?? noPage;
  }

  offsetOf(record: number): number {
    return (record & pageMask) * recordWords;
  }

  get(record: number, at: number): number {
    return this.pageOf(record)[this.offsetOf(record) + at] ?? 0;
  }

  set(record: number, at: number, value: number): void {
    this.pageOf(record)[this.offsetOf(record) + at] = value;
  }

  isLive(record: number): boolean {
    return this.get(record, word.revision) !== 0;
  }

  /** Records in use. */
  get live(): number {
    return this.#live;
  }

  /** One more than the highest record number ever used. */
  get end(): number {
    return this.#next;
  }

  get bytes(): number {
    return this.#bytes;
  }

  /** A record whose words are all zero; the caller fills them before anything else runs. */
  allocate(): number {
    this.#live += 1;
    const reused = this.#freeHead;
    if (reused !== 0) {
      this.#freeHead = this.get(reused, word.link) >>> 5;
      this.set(reused, word.link, 0);
      return reused;
    }
    if (this.#next >= this.#capacity) this.#grow();
    this.#next += 1;
    return this.#next - 1;
  }

  release(record: number): void {
    const from = this.offsetOf(record);
    this.pageOf(record).fill(0, from, from + recordWords);
    this.set(record, word.link, this.#freeHead << 5);
    this.#freeHead = record;
    this.#live -= 1;
  }

  #grow(): void {
    if (this.#next > recordsMax) throw new RangeError(`the table holds at most ${recordsMax} versions`);
    const inLast = this.#capacity & pageMask;
    if (inLast === 0)
      this.#buffers.push(new SharedArrayBuffer(0, { maxByteLength: pageRecords * recordBytes }));
    const last = this.#buffers.length - 1;
    const buffer = this.#buffers[last];
    assert(buffer !== undefined, 'there is a last page');
    const share = Math.ceil(this.#live / growthShare / growthStepMin) * growthStepMin;
    const step = Math.min(Math.max(growthStepMin, share), pageRecords - inLast);
    buffer.grow((inLast + step) * recordBytes);
    this.#pages[last] = new Int32Array(buffer, 0, (inLast + step) * recordWords);
    this.#capacity += step;
    this.#bytes += step * recordBytes;
  }
}

const noPage = new Int32Array(0);
