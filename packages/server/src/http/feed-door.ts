import { Fault, type KeyId } from '@keyswarm/core';
import type { FeedRelay, Heads } from '@keyswarm/verifier';
import type { KeyspaceFinder } from '../access/feed-scope.ts';
import {
  leaseAsksInFlightMax,
  shedRetryAfterMs,
  snapshotRetryAfterMs,
  snapshotsAtOnceMax,
  streamsMax,
} from '../limits.ts';
import type { RelayIdentity, VerifierRegistry } from '../relay/verifier-registry.ts';
import { type Random, unitInterval } from '../runtime/random.ts';

/*
 * Admission to the feed, apart from that of requests. A lease ask is small, and all verifiers stop being fresh without
 * it: it has a budget of its own, so that no amount of issuance or snapshots keeps one waiting, and one management key
 * may take half of it. A snapshot reads the whole table on the loop that verifies: a few at once, and whoever is turned
 * away is told to come back at a time that is drawn at random, so that a fleet that starts at once doesn't do it twice.
 * A stream costs little but is held for ever, and isn't a request under way: a server that goes down ends it first.
 */

export interface FeedDoorOptions {
  readonly relay: FeedRelay;
  readonly registry: Pick<VerifierRegistry, 'admit' | 'roll' | 'read'>;
  readonly relayIdentity: RelayIdentity;
  readonly keyspaces: KeyspaceFinder;
  readonly random: Random;
  readonly shards: number;
  /** Where the relay's own verifier stands, and the age of its lease. */
  readonly standing: () => { readonly heads: Heads; readonly ageMs: number | undefined };
}

type Kind = 'lease' | 'snapshot' | 'stream';
const bounds: Readonly<Record<Kind, number>> = {
  lease: leaseAsksInFlightMax,
  snapshot: snapshotsAtOnceMax,
  stream: streamsMax,
};

export class FeedDoor {
  readonly options: FeedDoorOptions;
  readonly #inside: Record<Kind, number> = { lease: 0, snapshot: 0, stream: 0 };
  readonly #asksOf = new Map<KeyId, number>();
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

  /** Gives back a place, once. Throws where there is none. */
  enter(kind: Kind, callerId: KeyId): () => void {
    if (this.#isClosed) {
      throw new Fault('shutting_down', {
        detail: 'This server is going down; another one may answer.',
        retryAfterMs: shedRetryAfterMs,
      });
    }
    if (this.#inside[kind] >= bounds[kind]) throw this.#full(kind);
    const asks = this.#asksOf.get(callerId) ?? 0;
    if (kind === 'lease' && asks >= leaseAsksInFlightMax / 2) {
      throw new Fault('rate_limited', {
        detail: 'Too many lease asks of this management key are under way.',
        retryAfterMs: shedRetryAfterMs,
      });
    }
    if (kind === 'lease') this.#asksOf.set(callerId, asks + 1);
    if (kind === 'snapshot') this.#served += 1;
    this.#inside[kind] += 1;
    let isInside = true;
    return () => {
      if (!isInside) return;
      isInside = false;
      this.#inside[kind] -= 1;
      if (kind === 'lease') this.#leaveAsk(callerId);
    };
  }

  #leaveAsk(callerId: KeyId): void {
    const asks = (this.#asksOf.get(callerId) ?? 1) - 1;
    if (asks === 0) this.#asksOf.delete(callerId);
    else this.#asksOf.set(callerId, asks);
  }

  #full(kind: Kind): Fault {
    const retryAfterMs =
      kind === 'snapshot'
        ? snapshotRetryAfterMs * (0.5 + unitInterval(this.options.random))
        : shedRetryAfterMs;
    return new Fault('overloaded', { detail: `As many as can be are under way: ${kind}.`, retryAfterMs });
  }
}
