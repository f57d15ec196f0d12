import type {
  FeedListener,
  FeedSource,
  FeedStretch,
  FeedSubscription,
  Heads,
  LeaseAnswer,
  LeaseAsk,
  RowRange,
  SnapshotEnd,
  SnapshotSink,
  TablePlace,
} from '../feed/feed-source.ts';

/** A source that counts what is asked of it, and remembers the heads that it was told last. */
export class CountedSource implements FeedSource {
  readonly #source: FeedSource;
  readonly subscribe?: (from: TablePlace, listener: FeedListener) => FeedSubscription;
  #heads: Heads | undefined;
  #leaseAnswers = 0;
  #snapshots = 0;
  #rowReads = 0;

  constructor(source: FeedSource) {
    this.#source = source;
    if (source.subscribe !== undefined)
      this.subscribe = (from, listener) => source.subscribe?.(from, listener) ?? { close: () => {} };
  }

  get counts() {
    return { leaseAnswers: this.#leaseAnswers, snapshots: this.#snapshots, rowReads: this.#rowReads };
  }

  /** Rows that the last answer named and that aren't applied; 0 before there was one, or in another epoch. */
  lagOf(applied: Heads): number {
    const heads = this.#heads;
    if (heads === undefined || heads.epoch !== applied.epoch) return 0;
    return heads.seqs.reduce((sum, head, shard) => sum + Math.max(0, head - (applied.seqs[shard] ?? 0)), 0);
  }

  async lease(ask: LeaseAsk, signal: AbortSignal): Promise<LeaseAnswer> {
    const answer = await this.#source.lease(ask, signal);
    this.#heads = answer;
    this.#leaseAnswers += 1;
    return answer;
  }

  rows(shard: number, range: RowRange, signal: AbortSignal): Promise<FeedStretch | 'gone'> {
    this.#rowReads += 1;
    return this.#source.rows(shard, range, signal);
  }

  async snapshot(sink: SnapshotSink, signal: AbortSignal): Promise<SnapshotEnd> {
    const end = await this.#source.snapshot(sink, signal);
    this.#snapshots += 1;
    return end;
  }
}
