import type { FeedRow } from '@keyswarm/core';
import type { FeedStretch, Heads, RowRange } from '../feed/feed-source.ts';
import { recentBytesMax, recentRowsMax } from '../limits.ts';
import { rowBytes } from './row-bytes.ts';

export interface RecentBounds {
  readonly rowsMax: number;
  readonly bytesMax: number;
}

interface ShardWindow {
  /** Everything after this one and up to `end` is here. */
  start: number;
  end: number;
  readonly stretches: FeedStretch[];
}

/**
 * What was applied of late, so that a reader that was away for a moment is served from memory. Each shard's window
 * has no hole. At the bounds, which are for all shards together, the oldest goes first, whichever shard's it is.
 */
export class RecentStretches {
  readonly #bounds: RecentBounds;
  #epoch = -1;
  #windows: ShardWindow[] = [];
  /** The shard of each stretch, in the order in which they came. */
  #order: number[] = [];
  #rows = 0;
  #bytes = 0;

  constructor(bounds: RecentBounds = { rowsMax: recentRowsMax, bytesMax: recentBytesMax }) {
    this.#bounds = bounds;
  }

  /** Forgets everything and goes on from here. */
  reset({ epoch, seqs }: Heads): void {
    this.#epoch = epoch;
    this.#windows = seqs.map((seq) => ({ start: seq, end: seq, stretches: [] }));
    this.#order = [];
    this.#rows = 0;
    this.#bytes = 0;
  }

  /** Has to go on from the end of its shard. */
  add(stretch: FeedStretch): void {
    const window = this.#windows[stretch.shard];
    if (window === undefined || stretch.epoch !== this.#epoch || stretch.after !== window.end) return;
    window.stretches.push(stretch);
    window.end = stretch.upTo;
    this.#order.push(stretch.shard);
    this.#count(stretch, 1);
    while (this.#rows > this.#bounds.rowsMax || this.#bytes > this.#bounds.bytesMax) this.#dropOldest();
  }

  /** Undefined where the range begins outside the window, or right at its end: ask further back, or later. */
  read(epoch: number, shard: number, range: RowRange): FeedStretch | undefined {
    const window = this.#windows[shard];
    const { after } = range;
    if (window === undefined || epoch !== this.#epoch || after < window.start || after >= window.end) return;
    const end = Math.min(range.upTo, window.end);
    const rows: FeedRow[] = [];
    for (const stretch of window.stretches) {
      if (stretch.upTo <= after || stretch.after >= end) continue;
      for (const row of stretch.rows) {
        if (row.seq <= after || row.seq > end) continue;
        const last = rows.at(-1);
        if (last !== undefined && rows.length >= range.limit) {
          return { epoch, shard, after, upTo: last.seq, rows };
        }
        rows.push(row);
      }
    }
    return { epoch, shard, after, upTo: end, rows };
  }

  /** Does the window reach back to there, or is it ahead of all that is here? */
  reaches(shard: number, after: number): boolean {
    const window = this.#windows[shard];
    return window !== undefined && after >= window.start;
  }

  get heads(): Heads {
    return { epoch: this.#epoch, seqs: this.#windows.map(({ end }) => end) };
  }

  #dropOldest(): void {
    const shard = this.#order.shift();
    const window = shard === undefined ? undefined : this.#windows[shard];
    const dropped = window?.stretches.shift();
    if (window === undefined || dropped === undefined) return;
    window.start = dropped.upTo;
    this.#count(dropped, -1);
  }

  #count({ rows }: FeedStretch, sign: 1 | -1): void {
    this.#rows += sign * Math.max(1, rows.length);
    this.#bytes += sign * rows.reduce((sum, row) => sum + rowBytes(row), 256);
  }
}
