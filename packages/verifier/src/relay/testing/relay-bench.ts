import type { FeedRow, KeyFact, KeyspaceFact, OwnerFact, WorkspaceId } from '@keyswarm/core';
import { ManualVerifierClock } from '../../clock/manual-verifier-clock.ts';
import type { FeedListener, FeedStretch, LeaseAsk } from '../../feed/feed-source.ts';
import { ListedTimers } from '../../follow/testing/follower-bench.ts';
import { MemoryFeed } from '../../follow/testing/memory-feed.ts';
import { createResidentVerifier } from '../../resident-verifier.ts';
import { systemRandom } from '../../runtime/random.ts';
import {
  keyFact,
  keyspaceFact,
  keyspaceId,
  ownerFact,
  startMs,
  workspaceId,
} from '../../testing/sample-facts.arbitrary.ts';
import { FeedRelay } from '../feed-relay.ts';
import type { RecentBounds } from '../recent-stretches.ts';
import type { FeedOrigin } from '../relay-origin.ts';
import type { RelayFact } from '../snapshot-reading.ts';

export const ours = workspaceId(1);
export const theirs = workspaceId(2);
export const canary = 'canary-of-another-tenant';
export const ask: LeaseAsk = { applied: undefined, leaseAgeMs: undefined, fresh: false };
export const never = new AbortController().signal;
export const turn = () => new Promise<void>((resolve) => setImmediate(resolve));

/** A primary, the verifier beside it, and the relay that both make. */
export class Bench {
  readonly feed = new MemoryFeed(2);
  readonly clock = new ManualVerifierClock(startMs);
  readonly timers = new ListedTimers();
  readonly verifier = createResidentVerifier({
    clock: this.clock,
    shards: 2,
    observer: {
      applied: (stretch) => this.relay.applied(stretch),
      reloaded: (at) => this.relay.reloaded(at),
    },
  });
  readonly relay: FeedRelay;
  /** Told to the relay's readers as the snapshot is read. */
  duringFacts: () => void = () => {};

  constructor(origin?: FeedOrigin, recent?: RecentBounds) {
    const { feed, verifier, clock, timers } = this;
    const facts = () => this.#facts();
    const port = {
      applied: () => verifier.applied(),
      stats: () => verifier.stats(),
      get quarantined() {
        return verifier.quarantined;
      },
      get ready() {
        return verifier.ready;
      },
      get view() {
        return verifier.view;
      },
      facts,
    };
    this.relay = new FeedRelay({
      verifier: port,
      clock,
      timers,
      random: systemRandom,
      ...(recent === undefined ? {} : { recent }),
      origin: origin ?? {
        kind: 'primary',
        lease: () => feed.lease(),
        rows: (shard, range) => feed.rows(shard, range),
      },
    });
    verifier.startSnapshot().finish({ epoch: 1, seqs: [0, 0] });
  }

  /** Commits, and tells the verifier, as the process does that has committed. */
  commit(shard: number, row: Omit<FeedRow, 'epoch' | 'shard' | 'seq'>): FeedRow {
    const committed = this.feed.commit(shard, row);
    this.verifier.applyRow(committed);
    return committed;
  }

  *#facts(): Generator<RelayFact> {
    for (const fact of this.feed.keyspaces.values()) yield { kind: 'keyspace', fact };
    this.duringFacts();
    for (const fact of this.feed.owners.values()) yield { kind: 'owner', fact };
    for (const fact of this.feed.keys.values()) yield { kind: 'key', fact };
  }
}

export const spaceOf = (number: number, workspace: WorkspaceId): KeyspaceFact =>
  keyspaceFact(number, { workspaceId: workspace });

export function keyRow(
  key: KeyFact,
  owner: OwnerFact,
  keyspace: KeyspaceFact,
): Omit<FeedRow, 'epoch' | 'shard' | 'seq'> {
  const data = { actor: 'key_actor', note: canary };
  const { workspaceId: at } = keyspace;
  return { type: 'key.issued', atMs: startMs, workspaceId: at, subject: key.id, key, owner, keyspace, data };
}

export function ownerRow(owner: OwnerFact, workspace: WorkspaceId): Omit<FeedRow, 'epoch' | 'shard' | 'seq'> {
  const facts = { key: null, owner, keyspace: null, data: {} };
  return { type: 'owner.suspended', atMs: startMs, workspaceId: workspace, subject: owner.id, ...facts };
}

export const ourRow = (key: number, keyspace = 1) =>
  keyRow(keyFact(key, { keyspaceId: keyspaceId(keyspace) }), ownerFact(1), spaceOf(keyspace, ours));
export const theirRow = (key: number) =>
  keyRow(
    keyFact(key, { keyspaceId: keyspaceId(9), ownerId: ownerFact(9).id, scopes: [canary] }),
    ownerFact(9, { externalId: canary }),
    spaceOf(9, theirs),
  );

export interface Heard extends FeedListener {
  readonly stretches: FeedStretch[];
  readonly words: string[];
}

export function listener(): Heard {
  const stretches: FeedStretch[] = [];
  const words: string[] = [];
  return {
    stretches,
    words,
    stretch(stretch) {
      stretches.push(stretch);
      words.push('stretch');
    },
    wanted: () => void words.push('wanted'),
    ended: () => void words.push('ended'),
  };
}

export const idsOf = (stretches: readonly FeedStretch[]) =>
  stretches.flatMap(({ rows }) => rows.map(({ subject }) => subject));
export const isGapless = (stretches: readonly FeedStretch[]) =>
  stretches.every((stretch, at) => at === 0 || stretches[at - 1]?.upTo === stretch.after);
