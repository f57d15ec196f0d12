import type { FeedRow, KeyFact, KeyspaceFact, OwnerFact, SigningKeyFact } from '@keyswarm/core';
import type { KeyUse } from '../uses/key-use.ts';

/*
 * What a follower needs of whoever feeds it: the store itself, a relay over HTTP, a broker beside a relay. Every
 * promise rests on `lease`, `rows` and `snapshot`, which are asked for and answered; what is pushed (`subscribe`)
 * only makes a change arrive sooner, and may be late, doubled, out of order or silent without breaking anything.
 */

/** The end of each shard: `seqs[shard]` of `epoch`. */
export interface Heads {
  readonly epoch: number;
  /** Index is the shard. */
  readonly seqs: readonly number[];
}

/**
 * What part of the feed a reader is given, as a tag that is the same for the same part and no other (`feedView`);
 * undefined: all of it, as the store itself gives it. Positions are those of the whole feed and say nothing of what
 * was left out on the way to them: a table is of one view, and what was cut for another must not move it.
 */
export type FeedView = string | undefined;

/** Where a table stands, and of which view it is. */
export interface TablePlace extends Heads {
  readonly view?: FeedView;
}

export interface LeaseAsk {
  /** How far this verifier is; undefined before its first snapshot. Told to the relay, for those who wait for it. */
  readonly applied: Heads | undefined;
  /** That of its table. Not told to a relay, which answers with that of the credential. */
  readonly view?: FeedView;
  /** Its own lease age, ms; undefined: no lease. */
  readonly leaseAgeMs: number | undefined;
  /**
   * The heads have to be read from the primary after this ask: a relay that is a verifier itself may then not
   * answer with what it has, but asks upstream first.
   */
  readonly fresh: boolean;
  /** Uses of rotating keys since those that were told before. */
  readonly uses?: readonly KeyUse[] | undefined;
}

export interface LeaseAnswer extends Heads {
  /**
   * How long before the ask, at most, something may have been acknowledged that these heads don't hold. 0 for heads
   * that were read from the primary after the ask came; for a relay that is a verifier itself the age of its lease.
   */
  readonly ageMs: number;
  /** Were they read from the primary? Then they can't be behind anything that was applied before the ask. */
  readonly fromPrimary: boolean;
  /** Shards that the relay itself can't bring up to date: it says nothing of them. */
  readonly behind: readonly number[];
  /** Between what the authority's wall clock stood as this was answered; absent: it is this machine's. */
  readonly wall?: WallBounds | undefined;
  /** What this reader is given now. If its table is of another view, these heads prove nothing of that. */
  readonly view?: FeedView;
  /** The uses that the ask told will reach the authority, but for a crash of whoever took them. Absent: they were not taken. */
  readonly usesTaken?: boolean | undefined;
}

/** Where a snapshot leaves its reader. */
export interface SnapshotEnd extends TablePlace {
  /** As in a lease answer, counted from when the snapshot was asked for; undefined: it says nothing of that. */
  readonly ageMs?: number | undefined;
}

/** Unix ms, with fractions. The same twice where the clock itself was read. */
export interface WallBounds {
  readonly earliestMs: number;
  readonly latestMs: number;
}

/**
 * The rows of one shard after `after` up to `upTo`, without a hole. Rows that are not for this reader (other
 * workspaces, other keyspaces) are left out, which is why the ends are named.
 */
export interface FeedStretch {
  readonly epoch: number;
  readonly shard: number;
  /** Exclusive. */
  readonly after: number;
  /** Inclusive. */
  readonly upTo: number;
  /** Ascending. */
  readonly rows: readonly FeedRow[];
}

export interface RowRange {
  /** Exclusive. */
  readonly after: number;
  /** Inclusive. */
  readonly upTo: number;
  /** Rows of one answer at the most; the answer's own `upTo` says how far it got. */
  readonly limit: number;
  /** Of the table that they are for: cut for any other, they are `gone`. Absent: nothing is compared. */
  readonly view?: FeedView;
}

export interface SnapshotSink {
  key(fact: KeyFact): void;
  owner(fact: OwnerFact): void;
  keyspace(fact: KeyspaceFact): void;
  signingKey(fact: SigningKeyFact): void;
  /** What was applied where the snapshot is read from while it was read: ascending within a shard, after all facts. */
  stretch(stretch: FeedStretch): void;
}

export interface FeedListener {
  /** In any order, twice, or never. */
  stretch(stretch: FeedStretch): void;
  /** Somebody waits for our position to be told: ask for the lease at once. Renews nothing by itself. */
  wanted(): void;
  /** The push has ended and will not go on by itself. Told once. */
  ended(error: unknown): void;
}

export interface FeedSubscription {
  close(): void;
}

export interface FeedSource {
  lease(ask: LeaseAsk, signal: AbortSignal): Promise<LeaseAnswer>;
  /**
   * `gone` when retention has passed `after`, or epoch or view are others. Throws `BadFeedRow` when the first row of
   * the range can't be read; rows before such a one are given.
   */
  rows(shard: number, range: RowRange, signal: AbortSignal): Promise<FeedStretch | 'gone'>;
  /**
   * Streams every fact into `sink`, and says where that leaves the reader. Rejects when it was cut off: what
   * came until then is to be thrown away.
   */
  snapshot(sink: SnapshotSink, signal: AbortSignal): Promise<SnapshotEnd>;
  /** Pushes what commits after `from`, cut for its view or not at all. Absent where there is nothing to push. */
  subscribe?(from: TablePlace, listener: FeedListener): FeedSubscription;
}
