import { setImmediate } from 'node:timers/promises';
import { assert } from '@keyswarm/core';
import type { Fact } from '../feed/fact.ts';
import type { FeedStretch, FeedView, Heads, SnapshotEnd, SnapshotSink } from '../feed/feed-source.ts';
import { FactsEncoder } from './encode-facts.ts';
import { encodeFrame, FrameReader, frameTypes, stretchFrame } from './frames.ts';
import { jsonPayload } from './json-payload.ts';
import { SnapshotReader } from './snapshot-reader.ts';
import { StretchChain } from './stretch-chain.ts';

/*
 * A whole table over a wire: hello, facts, the tail, end.
 *
 * The facts are read while the table changes, so that nothing has to stand still and nothing is copied. Why what
 * comes out is a table nevertheless:
 *
 *   - Before the first fact is read, the heads H0 are noted: everything up to H0 is in the table.
 *   - What doesn't change while it is read is in the facts, as it was at H0. What changes is in them as it was at
 *     some moment since, or not at all; never in part.
 *   - After the last fact, the tail is everything applied from H0 on, up to H1. Whatever changed meanwhile, its last
 *     row up to H1 is in there, and says all of the key, owner or keyspace that it is about.
 *   - Facts carry revisions. One that was read late is above what the rows before it say, and those change nothing;
 *     one that was read early, or missed, is below and gives way. Rows of one key share a version from one to the
 *     next, so that a version which came back with an early row goes again with the later ones (`resident-table.ts`).
 *
 * So the reader stands at H1 as one who applied the feed up to H1 does. It may know more: facts that the process of
 * the authority applied ahead of its position (`applyFacts`). Their rows are still to come, and change nothing then.
 *
 * Nothing of this holds if a part is missing. So batches are numbered, the tail has to lead from the heads of the
 * hello to those of the end without a hole, what came is counted, and one who hasn't seen the end has nothing.
 */

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
  /** Whose facts they are, where a reader has to know that again: a file says it, a connection needs not. */
  readonly identity?: string | undefined;
  /** Of what part of the feed they are. */
  readonly view?: FeedView;
}

/** The snapshot in chunks of some 64 kB, with a turn of the event loop between them. */
export async function* writeSnapshot(
  reading: SnapshotReading,
  signal: AbortSignal,
): AsyncGenerator<Uint8Array, void, undefined> {
  const { heads, ageMs = null, identity, view } = reading;
  const known = {
    ...(identity === undefined ? {} : { identity }),
    ...(view === undefined ? {} : { view }),
  };
  yield encodeFrame(frameTypes.hello, jsonPayload({ v: 1, ...jsonOf(heads), age_ms: ageMs, ...known }));

  const counts = { keys: 0, owners: 0, keyspaces: 0, signing_keys: 0 };
  const encoder = new FactsEncoder();
  for (const fact of reading.facts) {
    counts[countedAs[fact.kind]] += 1;
    const frame = encoder.add(fact);
    if (frame === undefined) continue;
    yield frame;
    await nextTurn(signal);
  }
  const last = encoder.finish();
  if (last !== undefined) yield last;

  const tail = reading.tail();
  const chain = new StretchChain(heads);
  for (const stretch of tail.stretches) {
    assert(chain.take(stretch), 'the tail of a snapshot has no hole');
    yield stretchFrame(stretch);
    await nextTurn(signal);
  }
  assert(chain.standsAt(tail.heads), 'the tail of a snapshot leads to its heads');
  // Left out where there are none, so that a reader which knows nothing of them reads the rest.
  const { signing_keys, ...others } = counts;
  const countsText = signing_keys === 0 ? others : counts;
  yield encodeFrame(frameTypes.end, jsonPayload({ ...jsonOf(tail.heads), age_ms: ageMs, ...countsText }));
}

/**
 * Reads what `writeSnapshot` wrote, cut into chunks anywhere. Rejects with `BadFrame` or `BadFeedRow`, with what
 * `chunks` or `sink` throw, or with the signal's reason: what the sink was told is then to be thrown away.
 */
export async function readSnapshot(
  chunks: AsyncIterable<Uint8Array>,
  sink: SnapshotSink,
  signal: AbortSignal,
): Promise<SnapshotEnd> {
  const frames = new FrameReader();
  const reader = new SnapshotReader(sink);
  for await (const chunk of chunks) {
    signal.throwIfAborted();
    for (const frame of frames.push(chunk)) reader.take(frame);
  }
  signal.throwIfAborted();
  frames.end();
  return reader.end();
}

const countedAs = {
  key: 'keys',
  owner: 'owners',
  keyspace: 'keyspaces',
  signingKey: 'signing_keys',
} as const;

async function nextTurn(signal: AbortSignal): Promise<void> {
  await setImmediate();
  signal.throwIfAborted();
}

function jsonOf({ epoch, seqs }: Heads) {
  return { epoch, seqs };
}
