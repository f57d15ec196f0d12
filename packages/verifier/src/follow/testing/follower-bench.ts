import {
  type Answer,
  type EventType,
  type FeedRow,
  idFromUuidBytes,
  type KeyFact,
  type KeyspaceFact,
  mintKeyString,
  type OwnerFact,
} from '@keyswarm/core';
import { ManualVerifierClock } from '../../clock/manual-verifier-clock.ts';
import { followerPauseMsMax } from '../../limits.ts';
import { createResidentVerifier } from '../../resident-verifier.ts';
import { systemRandom } from '../../runtime/random.ts';
import type { CancelTimer, Timers } from '../../runtime/timers.ts';
import { keyspaceFact, ownerFact, workspaceId } from '../../testing/sample-facts.arbitrary.ts';
import { fingerprintOf } from '../../verdict/fingerprint.ts';
import type { ResidentVerifier } from '../../verifier-port.ts';
import { type Follower, startFollower } from '../follower.ts';
import type { FollowerState } from '../follower-state.ts';
import { MemoryFeed } from './memory-feed.ts';

export interface HeldKey {
  readonly text: string;
  fact: KeyFact;
  readonly shard: number;
}

/** Timers that run at once when a test says so: what waits longer than a test wants to is kept in a list. */
export class ListedTimers implements Timers {
  readonly listed = new Set<{ readonly delayMs: number; readonly run: () => void }>();

  after(delayMs: number, run: () => void): CancelTimer {
    const timer = { delayMs, run };
    this.listed.add(timer);
    return () => this.listed.delete(timer);
  }

  every(periodMs: number, run: () => void): CancelTimer {
    const again = () => {
      cancel = this.after(periodMs, again);
      run();
    };
    let cancel = this.after(periodMs, again);
    return () => cancel();
  }

  sleep(delayMs: number): Promise<void> {
    return new Promise((resolve) => this.after(delayMs, resolve));
  }

  /** Runs those that wait at most so long. */
  fire(delayMsMax: number): void {
    this.#fireThose((delayMs) => delayMs <= delayMsMax);
  }

  /** Runs every pause of a follower, whatever its length, and no deadline of a call. */
  firePauses(): void {
    this.#fireThose((delayMs) => delayMs < followerPauseMsMax);
  }

  #fireThose(due: (delayMs: number) => boolean): void {
    for (const timer of [...this.listed]) {
      if (!due(timer.delayMs)) continue;
      this.listed.delete(timer);
      timer.run();
    }
  }
}

/** No two readings are the same, as on a machine: a base that is no later than a drop of the lease counts for nothing. */
export class TickingClock extends ManualVerifierClock {
  override monotonicMs(): number {
    this.advance(2 ** -10);
    return super.monotonicMs();
  }
}

/** A follower on a feed in memory, and the changes that are made to that feed. */
export class FollowerBench {
  readonly shards = 4;
  readonly workspaceId = workspaceId(1);
  readonly feed = new MemoryFeed(this.shards);
  readonly clock = new TickingClock(1_700_000_000_000);
  readonly timers = new ListedTimers();
  readonly states: FollowerState[] = [];
  readonly verifier: ResidentVerifier;
  keyspace: KeyspaceFact;
  owner: OwnerFact;
  follower: Follower | undefined;

  constructor() {
    this.verifier = createResidentVerifier({ clock: this.clock, shards: this.shards });
    this.keyspace = keyspaceFact(1);
    this.owner = ownerFact(1);
    this.feed.commit(0, this.#row('keyspace.created', this.keyspace.id, { keyspace: this.keyspace }));
  }

  start(): Follower {
    this.follower = startFollower({
      source: this.feed,
      verifier: this.verifier,
      clock: this.clock,
      timers: this.timers,
      random: systemRandom,
      catchUpPauseMs: 0,
      onState: (state) => this.states.push(state),
    });
    return this.follower;
  }

  issue(shard: number): { readonly key: HeldKey; readonly row: FeedRow } {
    const text = mintKeyString('orders_live', (count) => systemRandom.bytes(count));
    const key: HeldKey = {
      text,
      shard,
      fact: {
        id: idFromUuidBytes('key', systemRandom.bytes(16)),
        revision: 1,
        keyspaceId: this.keyspace.id,
        ownerId: this.owner.id,
        scopes: ['orders:read'],
        state: 'active',
        notBeforeMs: null,
        expiresAtMs: null,
        versions: [
          {
            number: 1,
            fingerprint: fingerprintOf(text).slice(0, 16),
            state: 'active',
            mintedAtMs: 1_600_000_000_000,
            retiresAtMs: null,
          },
        ],
      },
    };
    return { key, row: this.#commitKey(key, 'key.issued') };
  }

  change(key: HeldKey, state: KeyFact['state']): FeedRow {
    key.fact = { ...key.fact, state, revision: key.fact.revision + 1 };
    const events = { active: 'key.resumed', suspended: 'key.suspended', revoked: 'key.revoked' } as const;
    return this.#commitKey(key, events[state]);
  }

  changeOwner(shard: number, state: OwnerFact['state']): FeedRow {
    this.owner = { ...this.owner, state, revision: this.owner.revision + 1 };
    const event = state === 'active' ? 'owner.resumed' : 'owner.suspended';
    return this.feed.commit(shard, this.#row(event, this.owner.id, { owner: this.owner }));
  }

  verify(key: HeldKey): Answer['code'] {
    return this.verifier.verify(key.text, { workspaceId: this.workspaceId }).code;
  }

  /** What the feed's own state says of a key. */
  expected(key: HeldKey): Answer['code'] {
    if (key.fact.state === 'revoked') return 'revoked';
    return key.fact.state === 'suspended' || this.owner.state === 'suspended' ? 'suspended' : 'valid';
  }

  #commitKey(key: HeldKey, event: EventType): FeedRow {
    const facts = { key: key.fact, owner: this.owner, keyspace: this.keyspace };
    return this.feed.commit(key.shard, this.#row(event, key.fact.id, facts));
  }

  #row(
    type: EventType,
    subject: FeedRow['subject'],
    facts: Partial<Pick<FeedRow, 'key' | 'owner' | 'keyspace'>>,
  ): Omit<FeedRow, 'epoch' | 'shard' | 'seq'> {
    const none = { key: null, owner: null, keyspace: null };
    return {
      type,
      subject,
      atMs: this.clock.latestMs(),
      workspaceId: this.workspaceId,
      data: {},
      ...none,
      ...facts,
    };
  }
}
