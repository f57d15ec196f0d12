import { initStore } from '@keyswarm/server/rooms/feed/init-store';
import { createOneKeyspace } from '@keyswarm/server/rooms/keyspaces/change-keyspace';
import { bootstrap } from '@keyswarm/server/rooms/workspaces/bootstrap';
import { CommitJudge } from './check/judge-commits.ts';
import { judgeStore, judgeTable, judgeVerdicts } from './check/judge-end.ts';
import { VerdictJudge } from './check/judge-verdicts.ts';
import { SometimesCounts } from './check/sometimes.ts';
import { Truth } from './check/truth.ts';
import { Violation } from './check/violation.ts';
import { Scheduler } from './kernel/scheduler.ts';
import { SeededRandom } from './kernel/seeded-random.ts';
import { Trace } from './kernel/trace.ts';
import { Cluster } from './nodes/cluster.ts';
import { drawPlan, type Pace, type Plan } from './nodes/plan.ts';
import { Faults } from './work/faults.ts';
import { KeyBook, type KnownKey } from './work/key-book.ts';
import { Manager } from './work/manager.ts';
import { Presenter } from './work/presenter.ts';
import { drawRequest, type RequestGround, type RequestName, requestOf } from './work/requests.ts';

/*
 * One world from one seed: servers, a store, relays, verifiers, clients, all of the product that can be without a real
 * machine, under a clock that stands still while something happens. Time passes in faults; then, in the mode `liveness`,
 * everything is mended and has to be well again within a bound.
 */

export type Mode = 'safety' | 'liveness';

/** Which world, and for how long. */
export interface WorldChoice {
  readonly seed: number;
  /** Simulated. */
  readonly hours: number;
  readonly mode: Mode;
  readonly pace: Pace;
}

export interface SimulationOptions extends WorldChoice {
  /** Every line of the trace, as it is written. */
  readonly print?: (line: string) => void;
}

export interface SimulationReport {
  readonly seed: number;
  readonly plan: Plan;
  /** Simulated. */
  readonly hours: number;
  readonly events: number;
  readonly verdicts: number;
  readonly requests: number;
  readonly hash: string;
  readonly counts: SometimesCounts;
  /** What came to grief, when, and what led to it; undefined: nothing. */
  readonly failure:
    | { readonly error: unknown; readonly atMs: number; readonly last: readonly string[] }
    | undefined;
}

/** Before anything goes wrong. */
const settleInMs = 20_000;
/** Within so long after the last fault everything is well: the longest pause before a relay is asked again, and a lease. */
const recoverWithinMs = 120_000;
/** How often tables are compared with what they should hold. */
const tablesEveryMs = 300_000;

export async function simulate(options: SimulationOptions): Promise<SimulationReport> {
  const world = new World(options);
  const failure = await world.run();
  return world.report(failure);
}

class World {
  readonly #options: SimulationOptions;
  readonly #random: SeededRandom;
  readonly #scheduler: Scheduler;
  readonly #trace: Trace;
  readonly #counts = new SometimesCounts();
  readonly #plan: Plan;
  readonly #cluster: Cluster;
  readonly #truth: Truth;
  readonly #judge: VerdictJudge;
  readonly #manager: Manager;
  readonly #presenter: Presenter;
  readonly #faults: Faults;
  readonly #requests: RequestGround;
  readonly #book: KeyBook;
  readonly #temptation: SeededRandom;
  #isWorking = true;

  constructor(options: SimulationOptions) {
    this.#options = options;
    this.#random = new SeededRandom(`seed ${options.seed}`);
    this.#scheduler = new Scheduler(this.#random.fork('order'));
    this.#trace = new Trace(this.#scheduler, options.print);
    this.#temptation = this.#random.fork('temptation');
    this.#plan = drawPlan(this.#random.fork('plan'), options.pace);
    const counts = this.#counts;
    this.#cluster = new Cluster({
      plan: this.#plan,
      scheduler: this.#scheduler,
      random: this.#random,
      trace: this.#trace,
      counts,
      onAck: (actor, receipt) => this.#onAck(actor.requestId, receipt.at),
    });
    const { engine } = this.#cluster;
    const late: { commits: CommitJudge | undefined } = { commits: undefined };
    this.#truth = new Truth(engine, (commit, audits) => {
      for (const { event, subject, requestId } of audits) {
        if (event === 'campaign.started' || event === 'key.issued') this.#tempt(event);
        this.#trace.add('store', `commits ${event} of ${subject.slice(-6)} for ${requestId.slice(-8)}`);
      }
      this.#guard(() => late.commits?.judge(commit, audits));
    });
    const isWild = this.#plan.driftMax > 0.001;
    const tolerance = { lateMs: isWild ? 3_000 : 3, earlyMs: 6_000 };
    this.#judge = new VerdictJudge(this.#truth, counts, tolerance);
    late.commits = new CommitJudge(engine, this.#judge, counts);
    this.#cluster.commits = late.commits;
    this.#book = new KeyBook(this.#random.fork('book'));
    const ground = {
      cluster: this.#cluster,
      trace: this.#trace,
      counts,
      book: this.#book,
      truth: this.#truth,
    };
    this.#manager = new Manager({ ...ground, random: this.#random.fork('manager') });
    late.commits.commitsMax = (id) => this.#manager.commitsMax.get(id);
    this.#presenter = new Presenter({
      ...ground,
      random: this.#random.fork('presenter'),
      judge: this.#judge,
    });
    this.#requests = {
      random: this.#random.fork('requests'),
      book: this.#book,
      keyspaces: ['quick', 'plain', 'long'],
      leases: this.#plan.leasesLater,
      workspaceId: this.#cluster.callerFor('manager', '').workspaceId,
    };
    this.#faults = new Faults({
      cluster: this.#cluster,
      random: this.#random.fork('faults'),
      trace: this.#trace,
      counts,
      revokeNow: () => this.#ask('revoke'),
      driftMax: this.#plan.driftMax,
      holders: {
        rotateAndRest: () => this.#rotateAndRest(),
        presentOld: (seat, { secrets }) => this.#presenter.presentAt(seat, secrets.at(-2)),
        presentNew: (seat, { secrets }) => this.#presenter.presentAt(seat, secrets.at(-1)),
      },
    });
  }

  /** Undefined: nothing was wrong. */
  async run(): Promise<unknown> {
    try {
      await this.#begin();
      const { hours, mode } = this.#options;
      this.#everyNowAndThen(this.#plan.pauseMs, () => this.#ask());
      this.#everyNowAndThen(this.#plan.pauseMs / 5, () => this.#presenter.presentAny());
      this.#everyNowAndThen(this.#plan.faultPauseMs, () => this.#faults.strike());
      this.#everyNowAndThen(tablesEveryMs, () => this.#judgeTables());
      await this.#scheduler.runUntil(this.#scheduler.nowMs + hours * 3_600_000);
      this.#isWorking = false;
      if (mode === 'liveness') await this.#recover();
      await this.#judgeEnd();
      return undefined;
    } catch (error) {
      return error;
    }
  }

  report(error: unknown): SimulationReport {
    const { nowMs, events } = this.#scheduler;
    const moved = this.#cluster.nodes.some(({ service }) => (service?.pool.moves ?? 0) > 0);
    if (moved) this.#counts.note('a verifier moved to another relay');
    const failure = error === undefined ? undefined : { error, atMs: nowMs, last: this.#trace.last };
    return {
      seed: this.#options.seed,
      plan: this.#plan,
      hours: nowMs / 3_600_000,
      events,
      verdicts: this.#judge.verdicts,
      requests: this.#manager.commitsMax.size,
      hash: this.#trace.hash,
      counts: this.#counts,
      failure,
    };
  }

  /** A store, servers that stand on it, keyspaces, and whoever verifies. */
  async #begin(): Promise<void> {
    const { operator, servers, seats, engine } = this.#cluster;
    const { shards, leases } = this.#plan;
    const clock = { nowMs: () => engine.wallMs(), monotonicMs: () => this.#scheduler.nowMs };
    this.#trace.add('world', JSON.stringify(this.#plan));
    this.#begun(async () => {
      await initStore(operator, { shards, clock });
      for (const server of servers) server.boot();
    });
    await this.#scheduler.runUntil(settleInMs / 2);
    const first = servers[0]?.service;
    if (first === undefined) throw new Error('no server came up');
    const { ports } = first;
    this.#begun(async () => {
      await bootstrap(ports, undefined);
      const names = this.#requests.keyspaces;
      for (const [at, name] of names.entries()) {
        const terms = {
          name,
          prefix: name,
          allowedScopes: ['orders:*'],
          maxGraceSeconds: 3600,
          leaseSeconds: leases[at] ?? 30,
          rotation: name === 'quick' ? { settleSeconds: 60, inUseWindowSeconds: 60 } : {},
        };
        await createOneKeyspace(ports, this.#cluster.callerFor('manager', 'begin'), terms, undefined);
      }
      for (const seat of seats) if (seat.life === undefined) seat.boot();
    });
    await this.#scheduler.runUntil(settleInMs);
  }

  /** Begins something within the simulation, not beside it. Its failure is that of the run. */
  #begun(work: () => Promise<void>): void {
    this.#scheduler.schedule(0, () => {
      work().catch((error: unknown) => this.#scheduler.fail(error));
    });
  }

  #everyNowAndThen(pauseMs: number, run: () => void): void {
    const random = this.#random.fork(`now and then ${pauseMs}`);
    const again = () => {
      // Drawn so that many come at once and then none for a while.
      const waitMs = random.chance(0.25)
        ? random.between(0, pauseMs / 10)
        : random.between(0.5, 1.8) * pauseMs;
      this.#scheduler.schedule(waitMs, () => {
        if (!this.#isWorking) return;
        this.#guard(run);
        again();
      });
    };
    again();
  }

  /** Of the keyspace whose rotations end by themselves. */
  #rotateAndRest(): KnownKey | undefined {
    const key = this.#book.pick((each) => each.keyspace === 'quick' && !each.isEnding && !each.isResting);
    if (key === undefined) return undefined;
    key.isResting = true;
    this.#ask('rotateSlowly', key);
    return key;
  }

  #ask(name?: RequestName, about?: KnownKey): void {
    if (!this.#isWorking) return;
    const request = name === undefined ? drawRequest(this.#requests) : requestOf(name, this.#requests, about);
    if (request === undefined) return;
    this.#manager.send(request).then(
      (outcome) => {
        if (outcome === undefined) return;
        if (request.name === 'issue') this.#presenter.presentEverywhere(outcome.handedOut[0]?.key.id);
        const about = request.body.key;
        const key = [...this.#book.keys].find(({ id }) => id === about);
        if (key !== undefined) this.#presenter.watch(key, outcome.effectiveByMs);
        else if (request.name.endsWith('Owner') || request.name === 'revokeKeyspace') this.#watchSome();
      },
      (error: unknown) => this.#scheduler.fail(error),
    );
  }

  /** What goes wrong just when it matters. */
  #tempt(event: 'campaign.started' | 'key.issued'): void {
    const random = this.#temptation;
    if (!this.#isWorking || !random.chance(event === 'campaign.started' ? 0.5 : 0.02)) return;
    this.#faults.killServerIn(
      event === 'campaign.started' ? random.between(200, 9_000) : random.between(0, 5),
    );
  }

  #watchSome(): void {
    for (let count = 0; count < 4; count += 1) {
      const key = this.#book.pick();
      if (key !== undefined) this.#presenter.watch(key);
    }
  }

  /** Whoever was answered has what the store has. */
  #onAck(requestId: string, at: { readonly shard: number; readonly seq: number } | null): void {
    if (at === null) return;
    const audit = this.#truth.auditAt.get(`${at.shard}/${at.seq}`);
    this.#guard(() => {
      if (audit === undefined)
        throw new Violation(
          'I2',
          `${requestId} was acknowledged at ${at.shard}/${at.seq}, where nothing is committed`,
        );
    });
  }

  async #recover(): Promise<void> {
    this.#trace.add('world', 'is mended');
    this.#faults.end();
    this.#presenter.stop();
    await this.#scheduler.runUntil(this.#scheduler.nowMs + recoverWithinMs);
    const secrets = [...this.#book.keys].flatMap((key) => key.secrets);
    judgeVerdicts(this.#cluster, secrets, this.#truth);
  }

  async #judgeEnd(): Promise<void> {
    this.#judgeTables();
    if (this.#options.mode === 'safety') this.#faults.end();
    const acked = this.#manager.acked.map(({ id }) => id);
    const done = { isDone: false };
    this.#begun(async () => {
      await judgeStore(this.#cluster, acked, this.#truth);
      done.isDone = true;
    });
    await this.#scheduler.runUntil(this.#scheduler.nowMs + 60_000);
    if (!done.isDone) throw new Error('the store could not be looked at');
  }

  #judgeTables(): void {
    for (const { name, service } of [...this.#cluster.nodes, ...this.#cluster.servers])
      if (service !== undefined) judgeTable(name, service.resident, this.#truth);
  }

  #guard(run: () => void): void {
    try {
      run();
    } catch (error) {
      this.#scheduler.fail(error);
    }
  }
}
