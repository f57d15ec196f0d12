import { idFromUuidBytes, uuidV7, uuidV8FromHash } from '@keyswarm/core';
import type { Caller } from '@keyswarm/server/rooms/access/caller';
import { defaultWorkspaceId } from '@keyswarm/server/rooms/access/named-ids';
import { MasterKey } from '@keyswarm/server/rooms/signing/master-key';
import type { FollowerState } from '@keyswarm/verifier';
import type { CommitJudge } from '../check/judge-commits.ts';
import type { SometimesCounts } from '../check/sometimes.ts';
import { Life, Machine } from '../kernel/machine.ts';
import type { Scheduler } from '../kernel/scheduler.ts';
import type { SeededRandom } from '../kernel/seeded-random.ts';
import type { Trace } from '../kernel/trace.ts';
import type { FeedService } from '../net/feed-service.ts';
import { Network } from '../net/network.ts';
import { Engine } from '../store/engine.ts';
import { SimStore } from '../store/sim-store.ts';
import { StoreWeather } from '../store/store-weather.ts';
import { type AuthorityOptions, type AuthorityService, startAuthority } from './authority.ts';
import type { Plan } from './plan.ts';
import { Seat } from './seat.ts';
import { type SimDisk, saveTo } from './sim-disk.ts';
import { startVerifierNode, type VerifierService } from './verifier-node.ts';

/** When the world begins: its wall clocks show this and a bit. */
export const beginWallMs = 1_790_000_000_000;

/** How often a verifier that has a disk writes its snapshot there. */
const saveEveryMs = 300_000;

export interface ClusterGround {
  readonly plan: Plan;
  readonly scheduler: Scheduler;
  readonly random: SeededRandom;
  readonly trace: Trace;
  readonly counts: SometimesCounts;
  readonly onAck: AuthorityOptions['onAck'];
}

export interface VerifierSeat extends Seat<VerifierService> {
  readonly disk: SimDisk;
}

/** The machines of one world, and what runs on them. */
export class Cluster {
  readonly network: Network;
  readonly engine: Engine;
  readonly weather = new StoreWeather();
  readonly servers: readonly Seat<AuthorityService>[];
  readonly relays: readonly VerifierSeat[];
  readonly verifiers: readonly VerifierSeat[];
  /** Where clients run, and where an operator does. */
  readonly clients: Life;
  readonly operator: SimStore;
  readonly masterKey: MasterKey;
  commits: CommitJudge | undefined;
  readonly #ground: ClusterGround;

  constructor(ground: ClusterGround) {
    const { plan, scheduler, random } = ground;
    this.#ground = ground;
    this.network = new Network(scheduler, random.fork('network'));
    this.engine = new Engine(scheduler, beginWallMs);
    this.masterKey = new MasterKey(random.fork('master key').bytes(32));
    this.clients = new Life(this.#machine('clients', 0));
    const operator = new Life(this.#machine('operator', 0));
    this.operator = this.#storeOf(operator, true);
    this.servers = named('server', plan.servers).map((name) => this.#serverSeat(name));
    this.relays = named('relay', plan.relays).map((name) => this.#verifierSeat(name, this.servers, true));
    this.verifiers = named('verifier', plan.verifiers).map((name, at) => {
      const region = this.relays[at % Math.max(1, this.relays.length)];
      const isAfar = region !== undefined && at % 2 === 1;
      return this.#verifierSeat(name, isAfar ? [region] : this.servers, false);
    });
  }

  get nodes(): readonly VerifierSeat[] {
    return [...this.relays, ...this.verifiers];
  }

  get seats(): readonly Seat<FeedService>[] {
    return [...this.servers, ...this.nodes];
  }

  /** A management key of the workspace that may do anything. */
  callerFor(name: string, requestId: string): Caller {
    const bytes = uuidV8FromHash(new Uint8Array(Buffer.from(name.padEnd(16, '.'))));
    return {
      keyId: idFromUuidBytes('key', bytes),
      workspaceId: defaultWorkspaceId,
      scopes: ['*'],
      expiresAtMs: null,
      isDerived: false,
      requestId,
    };
  }

  newUuid(random: SeededRandom): Uint8Array {
    return uuidV7(this.engine.wallMs(), random.bytes(10));
  }

  #machine(name: string, driftMax: number): Machine {
    const { scheduler, random } = this.#ground;
    const own = random.fork(`machine ${name}`);
    const rate = 1 + own.between(-driftMax, driftMax);
    // Wall clocks of different machines are not alike: nothing may rest on that.
    const aheadMs = driftMax === 0 ? 0 : own.pick([0, 0, own.between(-2_000, 2_000), 3_600_000]);
    return new Machine(name, { scheduler, random: own }, { rate, wallMs: beginWallMs + aheadMs });
  }

  #storeOf(life: Life, isOperator: boolean): SimStore {
    const { random, counts, trace } = this.#ground;
    return new SimStore({
      engine: this.engine,
      weather: this.weather,
      life,
      random: random.fork(`store of ${life.machine.name}`),
      isOperator,
      onUnknown(tookPlace) {
        trace.add(
          life.machine.name,
          `has a commit of unknown outcome (it ${tookPlace ? 'took place' : 'did not'})`,
        );
        counts.note(
          tookPlace
            ? 'a commit of unknown outcome had taken place'
            : 'a commit of unknown outcome had not taken place',
        );
      },
    });
  }

  #serverSeat(name: string): Seat<AuthorityService> {
    const { plan, random, trace, onAck } = this.#ground;
    const machine = this.#machine(name, plan.driftMax);
    const seat: Seat<AuthorityService> = new Seat(machine, async (life) =>
      startAuthority({
        life,
        store: this.#storeOf(life, false),
        shards: plan.shards,
        random: random.fork(`${name} ${seat.boots}`),
        masterKey: this.masterKey,
        pollMs: plan.pollMs,
        onState: (state) => this.#noteState(name, state),
        onProblem: (what, error) => trace.add(name, `${what}: ${messageOf(error)}`),
        onAck,
      }),
    );
    return seat;
  }

  #verifierSeat(name: string, relays: readonly Seat<FeedService>[], isRelay: boolean): VerifierSeat {
    const { plan, random, counts } = this.#ground;
    const disk: SimDisk = { snapshot: undefined };
    const machine = this.#machine(name, plan.driftMax);
    const isAfar = relays.every((relay) => relay.name.startsWith('relay'));
    const seat: Seat<VerifierService> = new Seat(machine, async (life) => {
      if (disk.snapshot !== undefined) counts.note('a verifier began from its disk');
      const service = await startVerifierNode({
        life,
        network: this.network,
        relays,
        caller: this.callerFor(name, 'feed'),
        random: random.fork(`${name} ${seat.boots}`),
        pollMs: plan.pollMs,
        isRelay,
        disk,
        onState: (state) => {
          this.#noteState(name, state);
          if (isAfar && state.kind === 'following') counts.note('a relay of a region served');
        },
        onReload() {},
      });
      life.timers.every(saveEveryMs, () => saveTo(disk, service.resident));
      return service;
    });
    return Object.assign(seat, { disk });
  }

  #noteState(name: string, state: FollowerState): void {
    const { trace, counts } = this.#ground;
    const detail = state.kind === 'reloading' ? ` (${state.why})` : '';
    trace.add(name, `is ${state.kind}${detail}`);
    if (state.kind === 'blocked') counts.note('a shard was quarantined');
    if (state.kind !== 'reloading') return;
    if (state.why === 'gone') counts.note('a snapshot was taken because rows were gone');
    if (state.why === 'epoch') counts.note('a new epoch was followed');
  }
}

function named(kind: string, count: number): readonly string[] {
  return Array.from({ length: count }, (_, at) => `${kind}-${at + 1}`);
}

export function messageOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  return 'code' in error && typeof error.code === 'string' ? error.code : `${error.name} ${error.message}`;
}
