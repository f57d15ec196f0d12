import {
  type EventType,
  type FeedRow,
  idFromUuidBytes,
  type KeyFact,
  mintKeyString,
  type StoredKeyState,
  shardOfId,
} from '@keyswarm/core';
import type { FeedStretch, LeaseAnswer } from '../../feed/feed-source.ts';
import { type Follower, startFollower } from '../../follow/follower.ts';
import { MemoryFeed } from '../../follow/testing/memory-feed.ts';
import { FeedRelay } from '../../relay/feed-relay.ts';
import { createResidentVerifier } from '../../resident-verifier.ts';
import { systemRandom } from '../../runtime/random.ts';
import type { Timers } from '../../runtime/timers.ts';
import { keyspaceFact, ownerFact, workspaceId } from '../../testing/sample-facts.arbitrary.ts';
import { fingerprintOf } from '../../verdict/fingerprint.ts';
import type { AppliedObserver, ResidentVerifier } from '../../verifier-port.ts';
import type { SteppedClock } from './stepped-clock.ts';

export interface IssuedKey {
  readonly text: string;
  fact: KeyFact;
  readonly shard: number;
}

/** The lease of the one keyspace there is. */
export const leaseMs = 30_000;

/**
 * An authority in memory with a relay beside it, and a hand on both. What is committed is acknowledged at once and
 * told to the relay in the same turn, as by the process that commits. The relay reads the heads of the primary
 * through `gate`, where a test can make them wait.
 */
export class MemoryAuthority {
  readonly shards = 4;
  readonly workspaceId = workspaceId(1);
  readonly feed = new MemoryFeed(this.shards);
  readonly clock: SteppedClock;
  readonly relay: FeedRelay;
  readonly resident: ResidentVerifier;
  /** Awaited before the heads are read for a client's ask. */
  gate: () => Promise<void> = async () => {};
  /** Lease asks of clients that have come to the gate. */
  asks = 0;
  readonly #keyspace = keyspaceFact(1, { leaseMs });
  readonly #owner = ownerFact(1);
  readonly #follower: Follower;
  #answeredEpoch: number | undefined;

  constructor(clock: SteppedClock, timers: Timers) {
    this.clock = clock;
    const late: { relay: AppliedObserver | undefined } = { relay: undefined };
    const observer: AppliedObserver = {
      applied: (stretch) => late.relay?.applied(stretch),
      reloaded: (applied) => late.relay?.reloaded(applied),
    };
    this.resident = createResidentVerifier({ clock, shards: this.shards, observer });
    this.relay = new FeedRelay({
      verifier: this.resident,
      clock,
      timers,
      random: systemRandom,
      origin: {
        kind: 'primary',
        lease: () => this.#heads(),
        rows: (shard, range): Promise<FeedStretch | 'gone'> => this.feed.rows(shard, range),
      },
    });
    late.relay = this.relay;
    this.#commit(0, 'keyspace.created', { keyspace: this.#keyspace });
    this.#follower = startFollower({
      source: this.feed,
      verifier: this.resident,
      clock,
      timers,
      random: systemRandom,
    });
  }

  /** Resolves when the relay has something to give. */
  get ready(): Promise<void> {
    return this.#follower.ready;
  }

  /** A key in a shard of its own: neither its owner's nor its keyspace's. There are two such, 0 and 1. */
  issue(place: 0 | 1 = 0): IssuedKey {
    return this.#issue(place, true);
  }

  /** As another process does it: the relay hears of it when it reads the feed. */
  issueUntold(place: 0 | 1 = 0): IssuedKey {
    return this.#issue(place, false);
  }

  changeUntold(key: IssuedKey, state: StoredKeyState): FeedRow {
    return this.#change(key, state, false);
  }

  #issue(place: 0 | 1, isTold: boolean): IssuedKey {
    const text = mintKeyString('orders_live', (count) => systemRandom.bytes(count));
    const of = { keyspaceId: this.#keyspace.id, ownerId: this.#owner.id };
    const taken = [of.keyspaceId, of.ownerId].map((id) => shardOfId(id, this.shards));
    const free = [0, 1, 2, 3].filter((shard) => !taken.includes(shard));
    for (;;) {
      const fact = keyOf(text, of);
      const shard = shardOfId(fact.id, this.shards);
      if (shard !== free[place]) continue;
      const key: IssuedKey = { text, shard, fact };
      this.#commitKey(key, 'key.issued', isTold);
      return key;
    }
  }

  change(key: IssuedKey, state: StoredKeyState): FeedRow {
    return this.#change(key, state, true);
  }

  /** A change that no reader can read, until it is mended. The relay isn't told, as if another process had made it. */
  changeSpoilt(key: IssuedKey, state: StoredKeyState): { mend(): void } {
    const row = this.#change(key, state, false);
    this.feed.spoil(row, true);
    return { mend: () => this.feed.spoil(row, false) };
  }

  /** As after a restore: another epoch, in which the rows go on. */
  changeEpoch(): void {
    this.feed.epoch += 1;
  }

  /** Nobody holds the rows that have been, neither the store nor the memory of the relay. */
  dropRows(): void {
    for (let shard = 0; shard < this.shards; shard += 1) this.feed.drop(shard);
    this.relay.reloaded(this.resident.applied());
  }

  /** What clients are answered is of this epoch; undefined: of the present one. */
  answerOfEpoch(epoch: number | undefined): void {
    this.#answeredEpoch = epoch;
  }

  expected(key: IssuedKey): string {
    return key.fact.state === 'active' ? 'valid' : key.fact.state;
  }

  async stop(): Promise<void> {
    this.gate = async () => {};
    this.relay.close();
    await this.#follower.stop();
  }

  async #heads(): Promise<LeaseAnswer> {
    this.asks += 1;
    await this.gate();
    const answer = await this.feed.lease();
    return this.#answeredEpoch === undefined ? answer : { ...answer, epoch: this.#answeredEpoch };
  }

  #change(key: IssuedKey, state: StoredKeyState, isTold: boolean): FeedRow {
    key.fact = { ...key.fact, state, revision: key.fact.revision + 1 };
    const events = { active: 'key.resumed', suspended: 'key.suspended', revoked: 'key.revoked' } as const;
    return this.#commitKey(key, events[state], isTold);
  }

  #commitKey(key: IssuedKey, type: EventType, isTold: boolean): FeedRow {
    const facts = { key: key.fact, owner: this.#owner, keyspace: this.#keyspace };
    const row = this.#commit(key.shard, type, facts);
    if (isTold) this.#follower.applyCommitted([row]);
    return row;
  }

  #commit(
    shard: number,
    type: EventType,
    facts: Partial<Pick<FeedRow, 'key' | 'owner' | 'keyspace'>>,
  ): FeedRow {
    const subject = facts.key?.id ?? this.#keyspace.id;
    const none = { key: null, owner: null, keyspace: null };
    const about = {
      type,
      subject,
      atMs: Math.floor(this.clock.wallMs()),
      workspaceId: this.workspaceId,
      data: {},
    };
    return this.feed.commit(shard, { ...about, ...none, ...facts });
  }
}

function keyOf(text: string, of: Pick<KeyFact, 'keyspaceId' | 'ownerId'>): KeyFact {
  const version = { number: 1, fingerprint: fingerprintOf(text).slice(0, 16), state: 'active' } as const;
  return {
    id: idFromUuidBytes('key', systemRandom.bytes(16)),
    revision: 1,
    ...of,
    scopes: ['orders:read'],
    state: 'active',
    notBeforeMs: null,
    expiresAtMs: null,
    versions: [{ ...version, mintedAtMs: 1_600_000_000_000, retiresAtMs: null }],
  };
}
