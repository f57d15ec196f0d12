import { assert, type FeedPosition, shardsMax } from '@keyswarm/core';
import type { Applied } from '../verifier-port.ts';
import type { FeedStretch } from './feed-source.ts';

/** How far each shard has been applied. Within (epoch, shard) sequence numbers have no hole. */
export class Positions {
  readonly epoch: number;
  readonly #seqs: number[];

  constructor(applied: Applied) {
    const { epoch, seqs } = applied;
    assert(seqs.length >= 1 && seqs.length <= shardsMax, 'a feed has 1 to 256 shards');
    assert(
      seqs.every((seq) => Number.isSafeInteger(seq) && seq >= 0),
      'a sequence number is a whole number',
    );
    this.epoch = epoch;
    this.#seqs = [...seqs];
  }

  /** Where this stretch lies: it goes on from here, it is all known, or something is missing before it. */
  placeOf(stretch: FeedStretch): 'next' | 'known' | 'ahead' | 'elsewhere' {
    const seq = this.#seqs[stretch.shard];
    if (stretch.epoch !== this.epoch || seq === undefined) return 'elsewhere';
    if (stretch.upTo <= seq) return 'known';
    return stretch.after <= seq ? 'next' : 'ahead';
  }

  /** Of this epoch, of a shard that there is, and not applied yet: it may come early, never late. */
  isAhead(row: FeedPosition): boolean {
    const seq = this.#seqs[row.shard];
    return row.epoch === this.epoch && seq !== undefined && row.seq > seq;
  }

  advance(stretch: FeedStretch): void {
    assert(this.placeOf(stretch) === 'next', 'a position moves on without a hole');
    this.#seqs[stretch.shard] = stretch.upTo;
  }

  /** What of it isn't known yet. */
  freshPartOf(stretch: FeedStretch): FeedStretch {
    const after = this.seqOf(stretch.shard);
    if (stretch.after >= after) return stretch;
    return { ...stretch, after, rows: stretch.rows.filter(({ seq }) => seq > after) };
  }

  get count(): number {
    return this.#seqs.length;
  }

  seqOf(shard: number): number {
    return this.#seqs[shard] ?? 0;
  }

  /** Does everything that those positions hold stand here as well? */
  covers(other: Positions): boolean {
    if (this.epoch !== other.epoch || this.#seqs.length !== other.#seqs.length) return false;
    return other.#seqs.every((seq, shard) => (this.#seqs[shard] ?? -1) >= seq);
  }

  snapshot(): Applied {
    return { epoch: this.epoch, seqs: [...this.#seqs] };
  }
}
