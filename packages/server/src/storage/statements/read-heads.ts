import type { Queryable } from '../store.ts';

const readHeadsStatement = {
  name: 'read_heads',
  text: `
    select shard, epoch, seq, floor(extract(epoch from clock_timestamp()) * 1000)::bigint as now_ms
    from feed_heads
    order by shard`,
};

export interface HeadRow {
  readonly shard: number;
  readonly epoch: number;
  readonly seq: number;
  /** The engine's wall clock as it read the row, whole Unix ms. */
  readonly now_ms: number;
}

/** One row a shard, from 0. One statement, so all heads are of one instant. */
export function readHeads(tx: Queryable): Promise<readonly HeadRow[]> {
  return tx.query<HeadRow>(readHeadsStatement);
}
