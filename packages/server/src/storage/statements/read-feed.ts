import type { Queryable } from '../store.ts';

const readFeedStatement = {
  name: 'read_feed',
  text: `
    select seq, body
    from feed
    where shard = $1::smallint and seq > $2::bigint and seq <= $3::bigint
    order by seq
    limit $4::integer`,
};

export interface StoredFeedRow {
  readonly seq: number;
  readonly body: unknown;
}

export interface FeedRange {
  /** Exclusive. */
  readonly after: number;
  /** Inclusive: a head that was read before, so that all up to it is committed. */
  readonly upTo: number;
  readonly limit: number;
}

export function readFeed(tx: Queryable, shard: number, range: FeedRange): Promise<readonly StoredFeedRow[]> {
  return tx.query<StoredFeedRow>(readFeedStatement, [shard, range.after, range.upTo, range.limit]);
}
