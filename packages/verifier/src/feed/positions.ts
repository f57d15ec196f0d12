import { assert, type FeedPosition, shardsMax } from '@keyswarm/core';
import type { Applied } from '../verifier-port.ts';

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

  /** Is this row the very next one of its shard? */
  isNext(row: FeedPosition): boolean {
    return row.epoch === this.epoch && this.#seqs[row.shard] === row.seq - 1;
  }

  /** Of this epoch, of a shard that there is, and not applied yet: it may come early, never late. */
  isAhead(row: FeedPosition): boolean {
    const seq = this.#seqs[row.shard];
    return row.epoch === this.epoch && seq !== undefined && row.seq > seq;
  }

  advance(row: FeedPosition): void {
    assert(this.isNext(row), 'a position moves one row at a time');
    this.#seqs[row.shard] = row.seq;
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
