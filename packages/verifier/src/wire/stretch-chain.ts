import type { FeedStretch, Heads } from '../feed/feed-source.ts';

/** Follows stretches from some heads on: each has to begin where the one before it in its shard ended. */
export class StretchChain {
  readonly #epoch: number;
  readonly #seqs: number[];

  constructor({ epoch, seqs }: Heads) {
    this.#epoch = epoch;
    this.#seqs = [...seqs];
  }

  /** False where it doesn't go on from here. */
  take({ epoch, shard, after, upTo }: FeedStretch): boolean {
    if (epoch !== this.#epoch || this.#seqs[shard] !== after || upTo < after) return false;
    this.#seqs[shard] = upTo;
    return true;
  }

  standsAt({ epoch, seqs }: Heads): boolean {
    if (epoch !== this.#epoch || seqs.length !== this.#seqs.length) return false;
    return seqs.every((seq, shard) => seq === this.#seqs[shard]);
  }
}
