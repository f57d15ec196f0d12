import { Buffer } from 'node:buffer';
import {
  type AppliedObserver,
  FeedRelay,
  type FeedStretch,
  type ResidentVerifier,
  type VerifierClock,
} from '@keyswarm/verifier';
import type { LeaseReads } from '../access/lease-reads.ts';
import { MissedKeyspaces } from '../access/missed-keyspaces.ts';
import type { StoreFeed } from '../feed/feed-source.ts';
import { FeedDoor } from '../http/feed-door.ts';
import type { KeyspaceDirectory } from '../keyspaces/keyspace-directory.ts';
import type { Log } from '../logging/log.ts';
import type { RelayProbe } from '../metrics/relay-metrics.ts';
import { EffectWaits } from '../relay/effect-waits.ts';
import { openRotationEvidence } from '../relay/rotation-evidence.ts';
import type { UseSink } from '../relay/use-sink.ts';
import { type RelayIdentity, VerifierRegistry } from '../relay/verifier-registry.ts';
import { systemClock } from '../runtime/clock.ts';
import { hostName } from '../runtime/host-name.ts';
import { systemRandom } from '../runtime/random.ts';
import { systemTimers } from '../runtime/timers.ts';
import type { Reader } from '../storage/reader-port.ts';
import type { Store } from '../storage/store.ts';

export interface RelayGround {
  readonly store: Store;
  readonly log: Log;
  /** No other process writes: then this one's own verifier knows every change before it is acknowledged. */
  readonly isAlone: boolean;
}

/**
 * The relay of this process, in two steps, because the verifier tells it of everything from its first row on: what
 * has to be there before the verifier, and what stands on it.
 */
export function openRelay({ store, log, isAlone }: RelayGround) {
  let relay: FeedRelay | undefined;
  let verifier: ResidentVerifier | undefined;
  const listeners: ((stretch: FeedStretch) => void)[] = [];
  const observer: AppliedObserver = {
    applied(stretch) {
      relay?.applied(stretch);
      for (const listener of listeners) listener(stretch);
    },
    reloaded: (applied) => relay?.reloaded(applied),
  };
  const relayIdentity = newIdentity();
  const standing = () => {
    const leaseAgeMs = verifier?.stats().leaseAgeMs ?? Number.POSITIVE_INFINITY;
    const heads = verifier?.applied() ?? { epoch: 0, seqs: [0] };
    return { heads, ageMs: Number.isFinite(leaseAgeMs) ? leaseAgeMs : undefined };
  };
  const registry = new VerifierRegistry({
    store,
    clock: systemClock,
    timers: systemTimers,
    relay: relayIdentity,
    own: isAlone
      ? undefined
      : () => {
          const { heads, ageMs = Number.POSITIVE_INFINITY } = standing();
          return { applied: heads, leaseAgeMs: ageMs };
        },
    onProblem: (error) =>
      log.warn({ err: error }, 'the registry of verifiers could not be written; trying again'),
  });
  return {
    observer,
    registry,

    /** Told of every change that this process's verifier applies, after the relay was. */
    onApplied: (listener: (stretch: FeedStretch) => void) => void listeners.push(listener),

    /** The store as this process's own verifier asks it: a verifier as any other, registered before it is answered. */
    registered(source: StoreFeed): StoreFeed {
      return {
        ...source,
        async lease() {
          await registry.admitOwn();
          return await source.lease();
        },
        async snapshot(sink) {
          await registry.admitOwn();
          return await source.snapshot(sink);
        },
      };
    },

    /** What stands on the verifier. Before it has loaded anything. */
    attach(resident: ResidentVerifier, clock: VerifierClock, source: StoreFeed): FeedRelay {
      verifier = resident;
      relay = new FeedRelay({
        verifier: resident,
        clock,
        timers: systemTimers,
        random: systemRandom,
        origin: {
          kind: 'primary',
          lease: () => source.lease(),
          rows: (shard, range) => source.rows(shard, range),
        },
      });
      registry.start();
      return relay;
    },

    /** What the wire and the use-cases need of it. */
    serve: (from: ServedFrom) => serveRelay({ registry, relayIdentity, standing }, from),
  };
}

interface ServedFrom {
  readonly relay: FeedRelay;
  readonly keyspaces: KeyspaceDirectory;
  readonly leases: LeaseReads;
  readonly reader: Reader;
  readonly uses: UseSink;
  readonly shards: number;
}

function serveRelay(
  ground: Pick<FeedDoor['options'], 'relayIdentity' | 'standing'> & { readonly registry: VerifierRegistry },
  from: ServedFrom,
) {
  const { registry, relayIdentity, standing } = ground;
  const { relay, keyspaces, leases, reader, uses, shards } = from;
  const clock = systemClock;
  const evidence = openRotationEvidence({
    sink: uses,
    reader,
    leases,
    registry,
    relay: relayIdentity,
    clock,
  });
  const waits = new EffectWaits({
    registry,
    relay: relayIdentity,
    applied: () => standing().heads,
    wantReports: () => relay.want(),
    leases,
    clock,
    timers: systemTimers,
  });
  const feed = new FeedDoor({
    ...ground,
    relay,
    takeUses: (filter, told) => uses.accept(filter, told),
    ...findersOf(keyspaces),
    random: systemRandom,
    shards,
  });
  return { feed, evidence, awaitEffective: waits.awaitEffective };
}

function findersOf(keyspaces: KeyspaceDirectory) {
  return { keyspaces, keyspacesSeen: new MissedKeyspaces(keyspaces, systemClock) };
}

function newIdentity(): RelayIdentity {
  return { id: Buffer.from(systemRandom.bytes(16)).toString('base64url'), name: hostName(), region: null };
}

/** What of the relay is shown as figures. */
export function relayProbeOf(feed: FeedDoor, verifier: Pick<ResidentVerifier, 'quarantined'>): RelayProbe {
  const { registry, relay, standing } = feed.options;
  return {
    counts: () => relay.counts,
    inside: (kind) => feed.inside(kind),
    get snapshots() {
      return feed.snapshots;
    },
    verifiers() {
      const entries = [...registry.roll.entries()];
      const active = entries.filter((entry) => registry.roll.isActive(entry)).length;
      return { active, silent: entries.length - active };
    },
    lagRows() {
      const { heads } = standing();
      const lags = [...registry.roll.entries()].map(({ stands }) =>
        heads.seqs.reduce((sum, head, shard) => sum + Math.max(0, head - (stands?.seqs[shard] ?? head)), 0),
      );
      return Math.max(0, ...lags);
    },
    oldestLeaseMs() {
      const nowMs = systemClock.monotonicMs();
      const ages = [...registry.roll.entries()]
        .filter((entry) => registry.roll.isActive(entry))
        .map(({ report, seenAtMs }) => (report.leaseAgeMs ?? 0) + Math.max(0, nowMs - seenAtMs));
      return Math.max(0, ...ages);
    },
    quarantinedShards: () => verifier.quarantined.length,
  };
}
