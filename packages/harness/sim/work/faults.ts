import { Fault } from '@keyswarm/core';
import { startNewEpoch } from '@keyswarm/server/rooms/feed/init-store';
import type { SometimesCounts } from '../check/sometimes.ts';
import type { SeededRandom } from '../kernel/seeded-random.ts';
import type { Trace } from '../kernel/trace.ts';
import type { FeedService } from '../net/feed-service.ts';
import type { Cluster } from '../nodes/cluster.ts';
import type { Seat } from '../nodes/seat.ts';
import { type Holders, Snares } from './snares.ts';

export interface FaultGround {
  readonly cluster: Cluster;
  readonly random: SeededRandom;
  readonly trace: Trace;
  readonly counts: SometimesCounts;
  /** Something is to be revoked while a verifier is paused. */
  readonly revokeNow: () => void;
  /** By how much the rate of a clock is off at the most. */
  readonly driftMax: number;
  readonly holders: Holders;
}

export type Direction = 'in' | 'out';

/** Of a machine, from some others, for a while. */
export interface Cut {
  readonly ways: readonly Direction[];
  readonly others: readonly Seat<FeedService>[];
  readonly forMs: number;
}

const weights = {
  cutWays: 14,
  cutOneWay: 10,
  flakyWays: 8,
  cutStore: 5,
  pause: 12,
  sleep: 4,
  killNode: 10,
  killServer: 8,
  stepClock: 7,
  drift: 3,
  storeDown: 4,
  failover: 4,
  slowStore: 4,
  conflicts: 5,
  brokenCommits: 6,
  poison: 3,
  dropRows: 4,
  answersComeLate: 8,
  usesAreUnheard: 4,
} as const;

type FaultName = keyof typeof weights;

/** What goes wrong, one thing after the other and often several at once; each ends by itself. */
export class Faults {
  readonly #ground: FaultGround;
  #isOver = false;
  /** Undoes what is wrong at present. */
  readonly #mending = new Set<() => void>();
  readonly #snares: Snares;

  constructor(ground: FaultGround) {
    this.#ground = ground;
    this.#snares = new Snares({
      ...ground,
      cutOff: (seat, cut) => {
        if (!this.#isOver) this.#cutOff(seat, cut);
      },
      mendLater: (afterMs, mend) => this.#mendLater(afterMs, mend),
    });
  }

  strike(): void {
    if (this.#isOver) return;
    this.#acts[this.#ground.random.weighted<FaultName>(weights)]();
  }

  /** A server is killed while somebody counts on it. */
  killServerIn(ms: number): void {
    this.#ground.cluster.clients.machine.scheduler.schedule(ms, () => {
      if (!this.#isOver) this.#killServer();
    });
  }

  /** Everything is mended, and nothing goes wrong any more. */
  end(): void {
    this.#isOver = true;
    for (const mend of [...this.#mending]) mend();
    const { cluster } = this.#ground;
    cluster.network.heal();
    cluster.weather.clear();
    for (const seat of cluster.seats) {
      if (seat.life?.isPaused) seat.life.resume();
      if (seat.life === undefined) seat.boot();
    }
  }

  readonly #acts: Readonly<Record<FaultName, () => void>> = {
    cutWays: () => this.#cut(this.#anySeat(), ['in', 'out']),
    cutOneWay: () => this.#cut(this.#anySeat(), [this.#ground.random.pick(['in', 'out'] as const)]),
    flakyWays: () => this.#flaky(this.#anySeat()),
    cutStore: () => this.#cutStore(),
    pause: () => this.#pause(this.#anySeat(), false),
    sleep: () => this.#pause(this.#anySeat(), true),
    killNode: () => this.#kill(this.#ground.random.pick(this.#ground.cluster.nodes)),
    killServer: () => this.#killServer(),
    stepClock: () => this.#stepClock(this.#anySeat()),
    drift: () => this.#drift(this.#anySeat()),
    storeDown: () => this.#storeDown(),
    failover: () => this.#failover(),
    slowStore: () => this.#weather('tripMsMax', this.#ground.random.pick([20, 200, 1_500]), 1.5),
    conflicts: () => {
      this.#ground.counts.note('a transaction was given up for another');
      this.#weather('conflictShare', this.#ground.random.between(0.05, 0.6), 0);
    },
    brokenCommits: () => this.#weather('brokenCommitShare', this.#ground.random.between(0.1, 0.7), 0),
    poison: () => this.#poison(),
    dropRows: () => this.#dropRows(),
    answersComeLate: () => this.#snares.answersComeLate(),
    usesAreUnheard: () => this.#snares.usesAreUnheard(),
  };

  #anySeat(): Seat<FeedService> {
    return this.#ground.random.pick(this.#ground.cluster.seats);
  }

  /** The store is so for a while. */
  #weather(what: 'tripMsMax' | 'conflictShare' | 'brokenCommitShare', value: number, good: number): void {
    const { cluster, random, trace } = this.#ground;
    trace.add('store', `has ${what} ${value.toFixed(2)}`);
    cluster.weather[what] = value;
    this.#mendLater(random.between(2_000, 30_000), () => {
      cluster.weather[what] = good;
    });
  }

  #cutStore(): void {
    const { cluster, random, trace } = this.#ground;
    const server = random.pick(cluster.servers);
    trace.add(server.name, 'can not reach the store');
    cluster.weather.cutOff.add(server.name);
    this.#mendLater(random.between(500, 40_000), () => cluster.weather.cutOff.delete(server.name));
  }

  #stepClock({ name, machine }: Seat<FeedService>): void {
    const { random, trace, counts } = this.#ground;
    const ms = random.pick([-3_600_000, -120_000, -30_000, -2_000, -400, 300, 5_000, 600_000]);
    if (ms < 0) counts.note('a wall clock was set back');
    trace.add(name, `has its wall clock set by ${ms} ms`);
    machine.stepWall(ms);
  }

  /** Within what the world's clocks may be off by. */
  #drift({ name, machine }: Seat<FeedService>): void {
    const { random, trace, driftMax } = this.#ground;
    machine.setRate(1 + random.between(-driftMax, driftMax));
    trace.add(name, `has clocks that run at ${machine.rate.toFixed(5)}`);
  }

  #mendLater(afterMs: number, mend: () => void): void {
    const once = () => {
      if (this.#mending.delete(once)) mend();
    };
    this.#mending.add(once);
    this.#ground.cluster.clients.machine.scheduler.schedule(afterMs, once);
  }

  #cut(seat: Seat<FeedService>, ways: readonly Direction[]): void {
    const { cluster, random, revokeNow } = this.#ground;
    const others = cluster.seats.filter((other) => other !== seat && random.chance(0.7));
    const forMs = random.pick([500, 3_000, 10_000, 40_000, 150_000, 400_000]) * random.between(0.5, 1.5);
    this.#cutOff(seat, { ways, others, forMs });
    const { scheduler } = cluster.clients.machine;
    // What is ended now is ended without its knowledge; and its clock may be set meanwhile.
    if (random.chance(0.4)) scheduler.schedule(random.between(0, 3_000), revokeNow);
    if (random.chance(0.3)) scheduler.schedule(random.between(0, 8_000), () => this.#stepClock(seat));
  }

  #cutOff(seat: Seat<FeedService>, { ways, others, forMs }: Cut): void {
    const { cluster, trace } = this.#ground;
    const set = (isCut: boolean) => {
      for (const { name } of others) {
        if (ways.includes('in')) cluster.network.set(name, seat.name, { isCut });
        if (ways.includes('out')) cluster.network.set(seat.name, name, { isCut });
      }
    };
    const names = others.map(({ name }) => name).join(', ');
    trace.add(seat.name, `is cut off (${ways.join(' and ')}) from ${names}`);
    set(true);
    this.#mendLater(forMs, () => {
      trace.add(seat.name, 'is connected again');
      set(false);
    });
  }

  #flaky(seat: Seat<FeedService>): void {
    const { cluster, random, trace, counts } = this.#ground;
    const wrong = {
      lossShare: random.pick([0, 0.05, 0.3]),
      delayMsMax: random.pick([5, 50, 600, 2_500]),
      duplicateShare: random.pick([0, 0.2]),
      reorderShare: random.pick([0, 0.3]),
    };
    const good = { lossShare: 0, delayMsMax: 3, duplicateShare: 0, reorderShare: 0 };
    const set = (way: typeof good) => {
      for (const other of cluster.seats) {
        cluster.network.set(seat.name, other.name, way);
        cluster.network.set(other.name, seat.name, way);
      }
    };
    const lostBefore = cluster.network.lost;
    trace.add(seat.name, `has a bad network: ${JSON.stringify(wrong)}`);
    set(wrong);
    this.#mendLater(random.between(5_000, 120_000), () => {
      if (cluster.network.lost > lostBefore) counts.note('a push was lost');
      set(good);
    });
  }

  #pause(seat: Seat<FeedService>, isAsleep: boolean): void {
    const { cluster, random, trace, counts, revokeNow } = this.#ground;
    const { life, machine } = seat;
    if (life === undefined || life.isPaused) return;
    const forMs = random.pick([300, 1_500, 4_000, 12_000, 45_000]) * random.between(0.5, 1.5);
    trace.add(seat.name, `${isAsleep ? 'sleeps' : 'is paused'} for ${Math.round(forMs)} ms`);
    life.pause();
    if (random.chance(0.7)) {
      counts.note('a revocation fell into a pause');
      cluster.clients.machine.scheduler.schedule(forMs * random.next() * 0.8, revokeNow);
    }
    if (isAsleep) counts.note('a machine slept');
    this.#mendLater(forMs, () => {
      if (isAsleep) machine.fallBehind(forMs * machine.rate);
      trace.add(seat.name, 'goes on');
      life.resume();
    });
  }

  #kill(seat: Seat<FeedService>): void {
    const { cluster, random, trace } = this.#ground;
    trace.add(seat.name, 'is killed');
    if (cluster.relays.some((relay) => relay === seat)) this.#noteDeath();
    seat.kill();
    this.#mendLater(random.between(200, 30_000), () => {
      trace.add(seat.name, 'starts');
      seat.boot();
    });
  }

  #killServer(): void {
    const { cluster, random, trace, counts } = this.#ground;
    const server = random.pick(cluster.servers);
    const underWay = (server.service?.writing() ?? 0) > 0;
    const works = [...cluster.engine.tables.documents.rows.values()].some(
      ({ kind, body }) => kind === 'camp' && (body.state === 'running' || body.state === 'finishing'),
    );
    if (underWay) counts.note('a server was killed with writes under way');
    if (works) counts.note('a campaign went on after its server was killed');
    trace.add(server.name, 'is killed');
    this.#noteDeath();
    server.kill();
    this.#mendLater(random.between(200, 20_000), () => {
      trace.add(server.name, 'starts');
      server.boot();
    });
  }

  #noteDeath(): void {
    const { cluster } = this.#ground;
    cluster.commits?.deathsMs.push(cluster.clients.machine.scheduler.nowMs);
  }

  #storeDown(): void {
    const { cluster, random, trace } = this.#ground;
    trace.add('store', 'is down');
    cluster.weather.isDown = true;
    cluster.weather.session += 1;
    cluster.engine.rollbackAll();
    this.#mendLater(random.between(500, 30_000), () => {
      trace.add('store', 'is up');
      cluster.weather.isDown = false;
    });
  }

  /** The standby takes over: nothing that was acknowledged is lost. With a new epoch if an operator is careful. */
  #failover(): void {
    const { cluster, random, trace } = this.#ground;
    const { weather, engine } = cluster;
    if (weather.isOperatorsOnly) return;
    const isNewEpoch = random.chance(0.6);
    trace.add('store', `fails over${isNewEpoch ? ', to a new epoch' : ''}`);
    weather.isDown = true;
    weather.session += 1;
    engine.rollbackAll();
    weather.isOperatorsOnly = isNewEpoch;
    const letIn = () => {
      weather.isOperatorsOnly = false;
    };
    this.#mendLater(random.between(500, 20_000), () => {
      weather.isDown = false;
      if (isNewEpoch) this.#beginEpoch(letIn);
    });
  }

  /** An operator who is not told whether it was done does it again: then there is one more. */
  #beginEpoch(onBegun: () => void): void {
    const { cluster, trace } = this.#ground;
    startNewEpoch(cluster.operator).then(
      (epoch) => {
        trace.add('store', `is in epoch ${epoch}`);
        onBegun();
      },
      (error: unknown) => {
        if (error instanceof Fault) this.#beginEpoch(onBegun);
        else cluster.clients.machine.scheduler.fail(error);
      },
    );
  }

  /** Rows that commit now can't be read by whoever reads them from the store, for a while. */
  #poison(): void {
    const { cluster, random, trace } = this.#ground;
    const { feed, heads } = cluster.engine.tables;
    const shards = [...heads.rows.values()];
    const { shard, seq } = random.pick(shards);
    const from = seq + 1;
    trace.add('store', `has rows that can not be read, in shard ${shard} from ${from}`);
    const spoil = () => {
      for (let at = from; ; at += 1) {
        const name = `${shard}/${at}`;
        const row = feed.rows.get(name);
        if (row === undefined) return;
        if (!row.body.startsWith('{"spoiled"')) spoiled.set(name, row);
        feed.rows.set(name, { ...row, body: '{"spoiled":true}' });
      }
    };
    const spoiled = new Map<string, ReturnType<typeof feed.rows.get> & object>();
    const stop = cluster.engine.onCommit(spoil);
    this.#mendLater(random.between(5_000, 60_000), () => {
      stop();
      for (const [name, row] of spoiled) if (feed.rows.has(name)) feed.rows.set(name, row);
    });
  }

  /** Retention passes: what is left of the feed begins later. */
  #dropRows(): void {
    const { cluster, random, trace } = this.#ground;
    const { feed, heads } = cluster.engine.tables;
    const { shard, seq } = random.pick([...heads.rows.values()]);
    const upTo = seq - random.below(3);
    trace.add('store', `drops rows of shard ${shard} up to ${upTo}`);
    for (const [name, row] of [...feed.rows])
      if (row.shard === shard && row.seq <= upTo) feed.rows.delete(name);
  }
}
