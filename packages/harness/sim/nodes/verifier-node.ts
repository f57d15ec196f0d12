import { type Answer, hexOf } from '@keyswarm/core';
import type { Caller } from '@keyswarm/server/rooms/access/caller';
import { FeedDoor } from '@keyswarm/server/rooms/http/feed-door';
import {
  type AppliedObserver,
  AuthorityClock,
  createRelayPool,
  createResidentVerifier,
  type FeedFilter,
  FeedRelay,
  type Follower,
  type FollowerState,
  type KeyUse,
  LeaseRoll,
  type RelayPool,
  type ResidentVerifier,
  type RollOwner,
  type RollReport,
  startFollower,
  UseReporter,
  type VerifierKind,
} from '@keyswarm/verifier';
import { verifyFresh } from '@keyswarm/verifier/rooms/library/verify-fresh';
import type { Life } from '../kernel/machine.ts';
import type { SeededRandom } from '../kernel/seeded-random.ts';
import { type FeedService, feedServiceOf } from '../net/feed-service.ts';
import type { Host, Network } from '../net/network.ts';
import { remoteFeed } from '../net/remote-feed.ts';
import { loadFrom, type SimDisk } from './sim-disk.ts';

export interface VerifierNodeOptions {
  readonly life: Life;
  readonly network: Network;
  readonly relays: readonly Host<FeedService>[];
  readonly caller: Caller;
  readonly random: SeededRandom;
  readonly pollMs: number;
  /** Passes on what it follows. */
  readonly isRelay: boolean;
  readonly disk: SimDisk;
  readonly onState: (state: FollowerState) => void;
  readonly onReload: () => void;
}

/** What asks a verifier can reach, and whoever follows it if it is a relay. */
export interface VerifierService extends FeedService {
  readonly resident: ResidentVerifier;
  readonly follower: Follower;
  readonly pool: RelayPool;
  /** From memory. */
  verify(key: string, keyspace: string): Answer;
  /** As of the call. */
  verifyFresh(key: string, keyspace: string, minSeq?: string): Promise<Answer>;
}

/** A verifier in a process of its own: a pool of relays, one follower, one table; and a relay behind a relay, if it is one. */
export async function startVerifierNode(options: VerifierNodeOptions): Promise<VerifierService> {
  const { life, network, caller, random, disk } = options;
  const { machine, timers } = life;
  const clock = new AuthorityClock(machine);
  const late: { relay: FeedRelay | undefined } = { relay: undefined };
  const observer: AppliedObserver = {
    applied: (stretch) => late.relay?.applied(stretch),
    reloaded(applied) {
      options.onReload();
      late.relay?.reloaded(applied);
    },
  };
  const indexSeed = Int32Array.from(new Uint16Array(random.bytes(16).buffer));
  const resident = createResidentVerifier({ clock, observer, indexSeed });
  const roll = new LeaseRoll({ clock, leaseMsMax: () => resident.leaseBounds().maxMs });
  const kind: VerifierKind = options.isRelay ? 'relay' : 'library';
  const identity = { id: hexOf(random.bytes(8)), name: machine.name, kind };
  const pool = createRelayPool({
    relays: options.relays.map((host) => ({
      name: host.name,
      source: remoteFeed({
        network,
        life,
        host,
        caller,
        identity,
        downstream: () => downstreamOf(roll),
        epoch: () => resident.applied().epoch,
      }),
    })),
    clock,
    timers,
    random,
    agingAfterMs: () => resident.leaseBounds().minMs / 2,
  });
  const uses = new UseReporter((countMax) => resident.takeUses(countMax), clock);
  loadFrom(disk, resident);
  const follower = startFollower({
    source: pool,
    verifier: resident,
    clock,
    authorityClock: clock,
    timers,
    random,
    uses,
    pollMs: options.pollMs,
    onState: options.onState,
  });
  const relay = new FeedRelay({
    verifier: resident,
    clock,
    timers,
    random,
    origin: { kind: 'relay', follower },
  });
  late.relay = relay;
  if (resident.ready) relay.reloaded(resident.applied());
  const door = nodeDoor({ relay, roll, uses, resident, random, name: machine.name });
  return {
    ...feedServiceOf(door),
    resident,
    follower,
    pool,
    verify: (key, keyspace) => resident.verify(key, { keyspace, workspaceId: caller.workspaceId }),
    async verifyFresh(key, keyspace, minSeq) {
      const ports = { resident, follower, fallback: undefined, onWait() {} };
      const { answer } = await verifyFresh(ports, key, { keyspace, minSeq });
      return answer as Answer;
    },
  };
}

function downstreamOf(roll: LeaseRoll) {
  roll.forget();
  return roll
    .downstream()
    .flatMap((report) => (report.kind === 'server' ? [] : [{ ...report, kind: report.kind }]));
}

interface NodeDoorGround {
  readonly relay: FeedRelay;
  readonly roll: LeaseRoll;
  readonly uses: UseReporter;
  readonly resident: ResidentVerifier;
  readonly random: SeededRandom;
  readonly name: string;
}

/** As `verify-node/node-relay.ts` has it: who is answered is on the roll before, and no store knows of them. */
function nodeDoor({ relay, roll, uses, resident, random, name }: NodeDoorGround): FeedDoor {
  return new FeedDoor({
    relay,
    registry: {
      roll,
      admit: async (owner: RollOwner, report: RollReport, downstream: readonly RollReport[]) =>
        roll.asked(owner, report, downstream),
      read: () => Promise.reject(new Error('a node has no registry')),
    },
    relayIdentity: { id: 'node', name, region: 'afar' },
    takeUses: (_filter: FeedFilter, told: readonly KeyUse[]) => uses.passOn(told),
    keyspaces: { find: async () => undefined },
    keyspacesSeen: { find: async () => undefined },
    random,
    get shards() {
      return resident.applied().seqs.length;
    },
    standing() {
      const { leaseAgeMs } = resident.stats();
      return { heads: resident.applied(), ageMs: Number.isFinite(leaseAgeMs) ? leaseAgeMs : undefined };
    },
  });
}
