import { Fault, type KeyId } from '@keyswarm/core';
import type { FeedFilter, FeedRelay, Heads, KeyUse, RelayedSource } from '@keyswarm/verifier';
import type { Caller } from '../access/caller.ts';
import { feedFilterOf, type KeyspaceFinder } from '../access/feed-scope.ts';
import {
  eventStreamsMax,
  leaseAsksInFlightMax,
  rowReadsAtOnceMax,
  shedRetryAfterMs,
  snapshotRetryAfterMs,
  snapshotsAtOnceMax,
  streamsMax,
} from '../limits.ts';
import type { RelayIdentity, VerifierRegistry } from '../relay/verifier-registry.ts';
import { type Random, unitInterval } from '../runtime/random.ts';

/*
 * Admission to the feed, apart from that of requests. A lease ask is small, and all verifiers stop being fresh without
 * it: it has a budget of its own, so that no amount of issuance or snapshots keeps one waiting. Of each budget one
 * management key may take a part. A snapshot reads the whole table on the loop that verifies: a few at once, and whoever is turned
 * away is told to come back at a time that is drawn at random, so that a fleet that starts at once doesn't do it twice.
 * Rows that are not in memory any more are read from the store, so those have a bound, too.
 * A stream costs little but is held for ever, and isn't a request under way: a server that goes down ends it first.
 */

export interface FeedDoorOptions {
  readonly relay: FeedRelay;
  readonly registry: Pick<VerifierRegistry, 'admit' | 'roll' | 'read'>;
  readonly relayIdentity: RelayIdentity;
  /** Takes the uses that a verifier tells which may read so much; false: there is no room, and it keeps them. */
  readonly takeUses: (filter: FeedFilter, uses: readonly KeyUse[]) => boolean;
  readonly keyspaces: KeyspaceFinder;
  /** The same for what is reckoned again and again: without a query or a wait, and up to a second late. */
  readonly keyspacesSeen: KeyspaceFinder;
  readonly random: Random;
  readonly shards: number;
  /** Where the relay's own verifier stands, and the age of its lease. */
  readonly standing: () => { readonly heads: Heads; readonly ageMs: number | undefined };
}

type Kind = 'lease' | 'snapshot' | 'stream' | 'rows' | 'events';

/** At once: in all, and by one management key, which never takes the last place of others. */
const bounds: Readonly<Record<Kind, { readonly all: number; readonly ofOne: number }>> = {
  lease: { all: leaseAsksInFlightMax, ofOne: leaseAsksInFlightMax / 2 },
  snapshot: { all: snapshotsAtOnceMax, ofOne: snapshotsAtOnceMax - 1 },
  stream: { all: streamsMax, ofOne: streamsMax * 0.75 },
  rows: { all: rowReadsAtOnceMax, ofOne: rowReadsAtOnceMax / 4 },
  events: { all: eventStreamsMax, ofOne: eventStreamsMax / 4 },
};

export class FeedDoor {
  readonly options: FeedDoorOptions;
  readonly #inside: Record<Kind, number> = {
    lease: 0,
    snapshot: 0,
    stream: 0,
    rows: 0,
    events: 0,
  };
  /** By kind and management key; only of those who are inside. */
  readonly #insideOf = new Map<string, number>();
  #served = 0;
  #isClosed = false;

  constructor(options: FeedDoorOptions) {
    this.options = options;
  }

  get isClosed(): boolean {
    return this.#isClosed;
  }

  inside(kind: Kind): number {
    return this.#inside[kind];
  }

  /** Snapshots that were let in so far. */
  get snapshots(): number {
    return this.#served;
  }

  /** Lets nobody else in, and ends every stream: their readers go elsewhere. */
  close(): void {
    this.#isClosed = true;
    this.options.relay.close();
  }

  /**
   * What of the feed this caller is given now. `isAgain`: it has been reckoned a moment ago and will be in a moment,
   * so that a keyspace which the caller's scopes name in advance may be noticed a second late.
   */
  async sourceFor(
    caller: Caller,
    named: readonly string[] | undefined,
    isAgain = false,
  ): Promise<RelayedSource> {
    return this.options.relay.sourceFor(await this.filterFor(caller, named, isAgain));
  }

  /** The same as a filter. */
  filterFor(caller: Caller, named: readonly string[] | undefined, isAgain = false): Promise<FeedFilter> {
    const { keyspaces, keyspacesSeen } = this.options;
    return feedFilterOf(caller, named, isAgain && named === undefined ? keyspacesSeen : keyspaces);
  }

  /** Gives back a place, once. Throws where there is none. */
  enter(kind: Kind, callerId: KeyId): () => void {
    if (this.#isClosed) {
      throw new Fault('shutting_down', {
        detail: 'This server is going down; another one may answer.',
        retryAfterMs: shedRetryAfterMs,
      });
    }
    if (this.#inside[kind] >= bounds[kind].all) throw this.#full(kind, 'overloaded');
    const share = `${kind} ${callerId}`;
    const own = this.#insideOf.get(share) ?? 0;
    if (own >= bounds[kind].ofOne) throw this.#full(kind, 'rate_limited');
    this.#insideOf.set(share, own + 1);
    if (kind === 'snapshot') this.#served += 1;
    this.#inside[kind] += 1;
    let isInside = true;
    return () => {
      if (!isInside) return;
      isInside = false;
      this.#inside[kind] -= 1;
      this.#leaveShare(share);
    };
  }

  #leaveShare(share: string): void {
    const left = (this.#insideOf.get(share) ?? 1) - 1;
    if (left === 0) this.#insideOf.delete(share);
    else this.#insideOf.set(share, left);
  }

  #full(kind: Kind, code: 'overloaded' | 'rate_limited'): Fault {
    const retryAfterMs =
      kind === 'snapshot'
        ? snapshotRetryAfterMs * (0.5 + unitInterval(this.options.random))
        : shedRetryAfterMs;
    const whose = code === 'overloaded' ? '' : ' of this management key';
    return new Fault(code, { detail: `As many as can be${whose} are under way: ${kind}.`, retryAfterMs });
  }
}
