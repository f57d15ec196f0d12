import { assert, decodeFeedRow, type FeedRow, isBadRow } from '@keyswarm/core';
import {
  BadFeedRow,
  type FeedSource,
  type FeedStretch,
  type Heads,
  type LeaseAnswer,
  type SnapshotSink,
} from '@keyswarm/verifier';
import { snapshotPageRows } from '../limits.ts';
import { type FeedRange, readFeed, type StoredFeedRow } from '../storage/statements/read-feed.ts';
import { type HeadRow, readHeads } from '../storage/statements/read-heads.ts';
import type { Store } from '../storage/store.ts';
import { loadSnapshot } from './load-snapshot.ts';

/*
 * The feed as a follower reads it, straight from the store.
 *
 * Why a reader can know that it missed nothing: a writer takes its numbers by updating the head row of the shard
 * and holds that row until it has committed, so numbers are given in the order of commits and none is given for
 * nothing. A head that is visible therefore says that every row up to it is visible, too. Rows are only ever
 * asked for up to such a head; a hole below it can only be one thing, a day that retention has dropped.
 */

export interface FeedSourceOptions {
  readonly shards: number;
  readonly snapshotPageRows?: number;
}

/** The store as a source of the feed: the primary itself. */
export interface StoreFeed extends FeedSource {
  heads(): Promise<Heads>;
  lease(): Promise<LeaseAnswer>;
  rows(shard: number, range: FeedRange): Promise<FeedStretch | 'gone'>;
  snapshot(sink: Omit<SnapshotSink, 'stretch'>): Promise<Heads & { readonly ageMs: number }>;
}

/** `rows` throws `BadFeedRow` when the first row of the range is not readable; rows before such a one are given. */
export function createFeedSource(store: Store, options: FeedSourceOptions): StoreFeed {
  const { shards } = options;
  const heads = async (): Promise<Heads> => headsOf(await readHeads(store), shards);
  return {
    heads,

    async lease() {
      const rows = await readHeads(store);
      const nowMs = rows[0]?.now_ms ?? 0;
      const wall = { earliestMs: nowMs, latestMs: nowMs + 1 };
      return { ...headsOf(rows, shards), ageMs: 0, fromPrimary: true, behind: [], wall };
    },

    async rows(shard, range) {
      const stored = await readFeed(store, shard, range);
      const rows = readableRows(stored, shard, range);
      if (rows === 'gone') return 'gone';
      const { epoch } = rows[0] ?? (await heads());
      const upTo = range.after + rows.length;
      return { epoch, shard, after: range.after, upTo, rows };
    },

    snapshot(sink) {
      const pageRows = options.snapshotPageRows ?? snapshotPageRows;
      return store.transaction(
        async (tx) => {
          // The first statement fixes what the whole transaction sees: these heads and the state at them.
          const heads = headsOf(await readHeads(tx), shards);
          await loadSnapshot(tx, sink, { shards, pageRows });
          return { ...heads, ageMs: 0 };
        },
        { isolation: 'repeatable read', readOnly: true },
      );
    },
  };
}

function headsOf(rows: readonly HeadRow[], shards: number): Heads {
  assert(rows.length === shards, 'there is one head row a shard');
  const epoch = rows[0]?.epoch ?? 0;
  for (const [shard, row] of rows.entries()) {
    assert(row.shard === shard, 'head rows are counted from 0');
    assert(row.epoch === epoch, 'all shards are of one epoch');
  }
  return { epoch, seqs: rows.map((row) => row.seq) };
}

/** What can be read without a gap from the beginning of the range. */
function readableRows(
  stored: readonly StoredFeedRow[],
  shard: number,
  range: FeedRange,
): readonly FeedRow[] | 'gone' {
  if (range.upTo <= range.after) return [];
  const rows: FeedRow[] = [];
  for (const { seq, body } of stored) {
    if (seq !== range.after + rows.length + 1) break;
    const row = decodeFeedRow(body);
    const problem = isBadRow(row) ? row.reason : misplaced(row, shard, seq);
    if (problem === undefined && !isBadRow(row)) rows.push(row);
    else if (rows.length === 0) throw new BadFeedRow(shard, seq, problem ?? 'unreadable');
    else break;
  }
  return rows.length === 0 ? 'gone' : rows;
}

function misplaced(row: FeedRow, shard: number, seq: number): string | undefined {
  if (row.shard !== shard) return 'row.shard is not the shard that it stands in';
  return row.seq === seq ? undefined : 'row.seq is not the number that it stands at';
}
