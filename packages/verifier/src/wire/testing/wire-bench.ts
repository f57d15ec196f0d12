import type { FeedRow } from '@keyswarm/core';
import type { Fact } from '../../feed/fact.ts';
import type { FeedStretch, Heads, SnapshotSink } from '../../feed/feed-source.ts';
import type { ResidentVerifier } from '../../verifier-port.ts';
import { readSnapshot, type SnapshotReading, writeSnapshot } from '../snapshot.ts';

export const neverAborted = new AbortController().signal;

export function readingOf(facts: Iterable<Fact>, change: Partial<SnapshotReading> = {}): SnapshotReading {
  const heads: Heads = { epoch: 1, seqs: [0, 0] };
  return { heads, ageMs: 7, facts, tail: () => ({ stretches: [], heads }), ...change };
}

/** Everything written of it, in the chunks in which it came. */
export async function written(reading: SnapshotReading): Promise<Uint8Array[]> {
  const chunks: Uint8Array[] = [];
  for await (const chunk of writeSnapshot(reading, neverAborted)) chunks.push(chunk);
  return chunks;
}

export async function* chunksOf(...chunks: readonly Uint8Array[]): AsyncGenerator<Uint8Array> {
  yield* chunks;
}

/** What a sink is told. */
export class FactList implements SnapshotSink {
  readonly facts: Fact[] = [];
  readonly stretches: FeedStretch[] = [];

  key(fact: Extract<Fact, { kind: 'key' }>['fact']): void {
    this.facts.push({ kind: 'key', fact });
  }

  owner(fact: Extract<Fact, { kind: 'owner' }>['fact']): void {
    this.facts.push({ kind: 'owner', fact });
  }

  keyspace(fact: Extract<Fact, { kind: 'keyspace' }>['fact']): void {
    this.facts.push({ kind: 'keyspace', fact });
  }

  signingKey(fact: Extract<Fact, { kind: 'signingKey' }>['fact']): void {
    this.facts.push({ kind: 'signingKey', fact });
  }

  stretch(stretch: FeedStretch): void {
    this.stretches.push(stretch);
  }
}

/** Loads these chunks as a follower does; rejects as that does, and then the verifier is as it was. */
export async function load(verifier: ResidentVerifier, ...chunks: readonly Uint8Array[]): Promise<void> {
  const loading = verifier.startSnapshot();
  const sink: SnapshotSink = {
    key: (fact) => loading.applyKey(fact),
    owner: (fact) => loading.applyOwner(fact),
    keyspace: (fact) => loading.applyKeyspace(fact),
    signingKey: (fact) => loading.applySigningKey(fact),
    stretch: (stretch) => loading.applyStretch(stretch),
  };
  const { epoch, seqs } = await readSnapshot(chunksOf(...chunks), sink, neverAborted);
  loading.finish({ epoch, seqs });
}

export function stretchOf(
  after: number,
  rows: readonly FeedRow[],
  change: Partial<FeedStretch> = {},
): FeedStretch {
  return { epoch: 1, shard: 0, after, upTo: rows.at(-1)?.seq ?? after, rows, ...change };
}
