import type { FeedStretch, LeaseAnswer, RowRange } from '../feed/feed-source.ts';
import type { Follower } from '../follow/follower.ts';

/** Beside the primary: heads are read from it for every ask, and rows that memory no longer has. */
export interface PrimaryOrigin {
  readonly kind: 'primary';
  /** Reads the heads after the call. */
  lease(): Promise<LeaseAnswer>;
  rows(shard: number, range: RowRange): Promise<FeedStretch | 'gone'>;
}

/** A relay behind a relay: it is a verifier itself, and says what it knows and since when. */
export interface RelayOrigin {
  readonly kind: 'relay';
  readonly follower: Pick<Follower, 'catchUp'>;
}

export type FeedOrigin = PrimaryOrigin | RelayOrigin;
