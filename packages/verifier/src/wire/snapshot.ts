import type { Fact } from '../feed/fact.ts';
import type { FeedStretch, Heads, SnapshotEnd, SnapshotSink } from '../feed/feed-source.ts';

/** What a snapshot is written from. */
export interface SnapshotReading {
  /** How far everything was applied before the first fact was read. */
  readonly heads: Heads;
  /**
   * Of the lease at that moment; undefined where there is none, or where a shard is quarantined: whoever takes the
   * snapshot renews the lease of every shard by it.
   */
  readonly ageMs: number | undefined;
  readonly facts: Iterable<Fact>;
  /**
   * Asked once, after the last fact: what was applied since `heads`, each shard without a hole, and how far that
   * goes. Throws where that isn't known any more, which ends the snapshot.
   */
  tail(): { readonly stretches: readonly FeedStretch[]; readonly heads: Heads };
}

/** The snapshot in chunks of some 64 kB, with a turn of the event loop between them. */
export function writeSnapshot(_reading: SnapshotReading, _signal: AbortSignal): AsyncIterable<Uint8Array> {
  throw new Error('not there yet');
}

/**
 * Reads what `writeSnapshot` wrote, cut into chunks anywhere. Rejects with `BadFrame` or `BadFeedRow`, with what
 * `chunks` or `sink` throw, or with the signal's reason: what the sink was told is then to be thrown away.
 */
export function readSnapshot(
  _chunks: AsyncIterable<Uint8Array>,
  _sink: SnapshotSink,
  _signal: AbortSignal,
): Promise<SnapshotEnd> {
  throw new Error('not there yet');
}
