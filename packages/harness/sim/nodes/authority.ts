import { hexOf, type WorkspaceId } from '@keyswarm/core';
import { LeaseReads } from '@keyswarm/server/rooms/access/lease-reads';
import { MissedKeyspaces } from '@keyswarm/server/rooms/access/missed-keyspaces';
import type { UseCasePorts } from '@keyswarm/server/rooms/access/use-case-ports';
import { CampaignDriver } from '@keyswarm/server/rooms/campaigns/campaign-driver';
import { runCampaigns } from '@keyswarm/server/rooms/campaigns/run-campaigns';
import { createFeedSource, type StoreFeed } from '@keyswarm/server/rooms/feed/feed-source';
import { startUpkeep } from '@keyswarm/server/rooms/feed/upkeep';
import { FeedDoor } from '@keyswarm/server/rooms/http/feed-door';
import { finishSettledRotations } from '@keyswarm/server/rooms/keys/finish-settled';
import { KeyspaceDirectory } from '@keyswarm/server/rooms/keyspaces/keyspace-directory';
import type { Actor, LaneReceipt, Lanes } from '@keyswarm/server/rooms/lanes/lane-port';
import { createLanes } from '@keyswarm/server/rooms/lanes/lanes';
import { EffectWaits } from '@keyswarm/server/rooms/relay/effect-waits';
import { openRotationEvidence } from '@keyswarm/server/rooms/relay/rotation-evidence';
import { UseSink } from '@keyswarm/server/rooms/relay/use-sink';
import { VerifierRegistry } from '@keyswarm/server/rooms/relay/verifier-registry';
import type { MasterKey } from '@keyswarm/server/rooms/signing/master-key';
import { createReader } from '@keyswarm/server/rooms/storage/reader';
import { createRotationsReader } from '@keyswarm/server/rooms/storage/statements/read-rotations';
import type { Store } from '@keyswarm/server/rooms/storage/store';
import { createStoreClock } from '@keyswarm/server/rooms/storage/store-clock';
import type { FollowerState } from '@keyswarm/verifier';
import {
  type AppliedObserver,
  AuthorityClock,
  createResidentVerifier,
  FeedRelay,
  type Follower,
  type ResidentVerifier,
  startFollower,
} from '@keyswarm/verifier';
import type { Life } from '../kernel/machine.ts';
import type { SeededRandom } from '../kernel/seeded-random.ts';
import { type FeedService, feedServiceOf } from '../net/feed-service.ts';

/** How often a server looks for rotations that have settled: the product's own workflow, by a timer here. */
const settleEveryMs = 60_000;

export interface AuthorityOptions {
  readonly life: Life;
  readonly store: Store;
  readonly shards: number;
  readonly random: SeededRandom;
  readonly masterKey: MasterKey;
  readonly pollMs: number;
  readonly onState: (state: FollowerState) => void;
  readonly onProblem: (what: string, error: unknown) => void;
  /** Told of every write that was acknowledged, as it is. */
  readonly onAck: (actor: Actor, receipt: LaneReceipt<unknown>) => void;
}

/** What a client of a server, and a verifier that follows it, can reach. */
export interface AuthorityService extends FeedService {
  readonly ports: UseCasePorts;
  readonly resident: ResidentVerifier;
  readonly follower: Follower;
  /** Writes that were sent and not answered. */
  readonly writing: () => number;
}

/**
 * A server: the product's rooms, put together as `boot/start-server.ts` does, with ports of the simulation and without
 * what stands outside of it (HTTP, NATS, metrics, webhooks, tokens, jobs of pg-boss).
 */
export function startAuthority(options: AuthorityOptions): AuthorityService {
  const plane = openPlane(options);
  const { life, store, shards, random } = options;
  const { clock, registry, relay, relayIdentity, resident, follower, standingNow } = plane;
  const { timers } = life;
  const lanes = createLanes({
    store,
    shards,
    clock,
    timers,
    onCommitted: (rows) => follower.applyCommitted(rows),
  });
  const uses = sinkOf(options, resident);
  uses.start();
  const storeClock = createStoreClock(store);
  startUpkeep({
    store,
    shards,
    storeClock,
    timers,
    onProblem: ({ error }) => options.onProblem('upkeep', error),
  });
  const reader = createReader(store, { shards });
  const keyspaces = new KeyspaceDirectory(reader);
  const leases = new LeaseReads(reader);
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
    applied: () => standingNow().heads,
    wantReports: () => relay.want(),
    leases,
    clock,
    timers,
  });
  const door = new FeedDoor({
    relay,
    registry,
    relayIdentity,
    takeUses: (filter, told) => uses.accept(filter, told),
    keyspaces,
    keyspacesSeen: new MissedKeyspaces(keyspaces, clock),
    random,
    shards,
    standing: standingNow,
  });
  const under = { way: 0 };
  const ports: UseCasePorts = {
    ...notSimulated,
    lanes: watched(lanes, options.onAck, under),
    reader,
    verifier: resident,
    clock,
    random,
    keyspaces,
    leases,
    catchUp: () => follower.catchUp(),
    awaitEffective: waits.awaitEffective,
    evidence,
    rotations: createRotationsReader(store),
    storeClock,
    macKeyOf: (workspaceId: WorkspaceId) => options.masterKey.subkey('request mac', [workspaceId]),
    shards,
  };
  startWork(options, ports);
  return { ...feedServiceOf(door), ports, resident, follower, writing: () => under.way };
}

function sinkOf({ life, store, shards, onProblem }: AuthorityOptions, resident: ResidentVerifier): UseSink {
  return new UseSink({
    store,
    shards,
    take: (countMax) => resident.takeUses(countMax),
    timers: life.timers,
    onProblem: (error) => onProblem('uses', error),
  });
}

const notSimulated: Pick<UseCasePorts, 'rotationTimes' | 'jobs'> = {
  rotationTimes: { firstUsed() {}, retired() {} },
  jobs: { send: () => Promise.reject(new Error('jobs are not simulated')) },
};

/** The verifier of this process, what feeds it, and the relay that stands on it. */
function openPlane({ life, store, shards, random, pollMs, onState, onProblem }: AuthorityOptions) {
  const { machine, timers } = life;
  const clock = {
    nowMs: () => Math.floor(machine.wallMs()),
    monotonicMs: () => machine.monotonicMs(),
  };
  const authorityClock = new AuthorityClock(machine);
  const relayIdentity = { id: hexOf(random.bytes(12)), name: machine.name, region: null };
  const late: { relay: FeedRelay | undefined } = { relay: undefined };
  const observer: AppliedObserver = {
    applied: (stretch) => late.relay?.applied(stretch),
    reloaded: (applied) => late.relay?.reloaded(applied),
  };
  const indexSeed = Int32Array.from(new Uint16Array(random.bytes(16).buffer));
  const resident = createResidentVerifier({ clock: authorityClock, shards, observer, indexSeed });
  const standingNow = () => {
    const { leaseAgeMs } = resident.stats();
    return { heads: resident.applied(), ageMs: Number.isFinite(leaseAgeMs) ? leaseAgeMs : undefined };
  };
  const registry = new VerifierRegistry({
    store,
    clock,
    timers,
    relay: relayIdentity,
    own() {
      const { heads, ageMs = Number.POSITIVE_INFINITY } = standingNow();
      return { applied: heads, leaseAgeMs: ageMs };
    },
    onProblem: (error) => onProblem('registry', error),
  });
  const source = createFeedSource(store, { shards });
  const relay = new FeedRelay({
    verifier: resident,
    clock: authorityClock,
    timers,
    random,
    origin: {
      kind: 'primary',
      lease: () => source.lease(),
      rows: (shard, range) => source.rows(shard, range),
    },
  });
  late.relay = relay;
  registry.start();
  const follower = startFollower({
    source: registered(source, registry),
    verifier: resident,
    clock: authorityClock,
    authorityClock,
    timers,
    random,
    pollMs,
    onState,
  });
  return { clock, registry, relay, relayIdentity, resident, follower, standingNow };
}

/** The same lanes, with an ear on what they acknowledge. */
function watched(lanes: Lanes, onAck: AuthorityOptions['onAck'], under: { way: number }): Lanes {
  return {
    shardForNew: (weight) => lanes.shardForNew(weight),
    async submit(write) {
      under.way += 1;
      try {
        const receipt = await lanes.submit(write);
        onAck(write.actor, receipt);
        return receipt;
      } finally {
        under.way -= 1;
      }
    },
  };
}

/** What a server does by itself. */
function startWork({ life, random, onProblem }: AuthorityOptions, ports: UseCasePorts): void {
  const driver = new CampaignDriver({
    ports,
    driverId: hexOf(random.bytes(8)),
    reading: () => ({
      buckets: new Float64Array(1),
      boundsSeconds: new Float64Array(1),
      failed: 0,
      loop: { activeMs: 0, idleMs: 0 },
    }),
    onProblem: ({ error }) => onProblem('campaign', error),
  });
  runCampaigns({ driver, timers: life.timers, onProblem: (error) => onProblem('campaigns', error) });
  life.timers.every(settleEveryMs, () => {
    finishSettledRotations(ports).catch((error: unknown) => onProblem('settle', error));
  });
}

/** The store as this process's own verifier asks it: registered before it is answered. */
function registered(source: StoreFeed, registry: VerifierRegistry): StoreFeed {
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
}
