import { assert, Fault, hexOf, type JsonObject } from '@keyswarm/core';
import { PgBoss } from 'pg-boss';
import {
  backlogReadMs,
  bossPollSeconds,
  bossQuietMs,
  bossStartPauseMsMax,
  bossStartPauseMsMin,
  bossSuperviseSeconds,
  jobHeartbeatSeconds,
  jobKeptSeconds,
  jobSendWaitMsMax,
  jobTimeoutSecondsDefault,
  periodicKeptSeconds,
} from '../limits.ts';
import type { Log } from '../logging/log.ts';
import type { Clock } from '../runtime/clock.ts';
import { type Random, unitInterval } from '../runtime/random.ts';
import type { CancelTimer, Timers } from '../runtime/timers.ts';
import { within } from '../runtime/within.ts';
import type { Store } from '../storage/store.ts';
import { bossDatabase } from './boss-database.ts';
import type { JobHandler, JobKind, PeriodicJob } from './job-kind.ts';
import type { DeadJob, JobReplays, Jobs, SendOptions } from './jobs-port.ts';
import { type JobObserver, QueueWorkers } from './queue-workers.ts';

/*
 * Work that nobody waits for: on pg-boss, in the same store as everything else, whichever engine that is. Jobs are
 * rows that workers of any process claim; a claim that is not kept alive goes to the next one, so a process that
 * was killed has left nothing undone.
 *
 * What it promises: a job that was sent is done at least once, or is a dead letter that says why. A periodic job
 * runs once a period over all processes. What it does not: exactly once (a handler may run twice and at once),
 * order between jobs, or a job for a key: work over many things is one job that goes through them with a cursor.
 *
 * What it trades: jobs that this process sends start at once, those of others and those that are tried again
 * within `bossPollSeconds`. That keeps a server at rest to about two small statements a second.
 *
 * It starts beside everything else and is needed by no verification and no write: while its tables can't be had it
 * says so and tries again.
 */

export interface WorkflowsOptions {
  readonly store: Store;
  readonly isEmbedded: boolean;
  readonly log: Log;
  readonly timers: Timers;
  readonly clock: Clock;
  readonly random: Random;
  /** False: this process sends jobs and does none. */
  readonly works: boolean;
  readonly observer?: JobObserver;
  /** An upper bound on every kind's own. */
  readonly concurrencyMax: number;
  /** How long jobs under way may take to finish once it is stopped. */
  readonly drainMs: number;
  /** Shorter ones for tests. */
  readonly pollSeconds?: number;
  readonly superviseSeconds?: number;
  readonly sendWaitMs?: number;
}

/** All that is known of a kind once a handler is there for it. */
export interface Registered {
  readonly kind: JobKind<JsonObject>;
  readonly handler: JobHandler<JsonObject>;
  readonly periodic: PeriodicJob | undefined;
}

export interface WaitingJobs {
  readonly count: number;
  readonly oldestSeconds: number;
}

/** The queue that jobs go to when their attempts are used up. */
export const deadQueue = 'dead-letters';

export class Workflows implements Jobs, JobReplays {
  readonly #options: WorkflowsOptions;
  readonly #registered = new Map<string, Registered>();
  readonly #workers: QueueWorkers;
  readonly #leaving = new AbortController();
  readonly #ticks: CancelTimer[] = [];
  #boss: PgBoss | undefined;
  #starting: Promise<void> | undefined;
  readonly #waiting = new Map<string, WaitingJobs>();
  #quietUntilMs = 0;
  #bury: (letter: DeadJob) => Promise<void> = async () => {};

  constructor(options: WorkflowsOptions) {
    this.#options = options;
    this.#workers = new QueueWorkers({
      log: options.log,
      clock: options.clock,
      observer: options.observer,
      concurrencyMax: options.concurrencyMax,
      pollSeconds: options.pollSeconds ?? bossPollSeconds,
      leaving: this.#leaving.signal,
    });
  }

  /** Before `start`, one handler a kind. */
  queue<Data extends JsonObject>(kind: JobKind<Data>, handler: JobHandler<Data>): void {
    // Data come back as they were sent, by the same kind.
    this.#register({ kind, handler: handler as JobHandler<JsonObject>, periodic: undefined });
  }

  /** Before `start`. */
  periodic(job: PeriodicJob): void {
    const timeoutSeconds = job.timeoutSeconds ?? Math.max(job.everySeconds, jobTimeoutSecondsDefault);
    const policy = { concurrency: 1, timeoutSeconds, retries: 0, retryDelaySeconds: 1, leavesLetter: false };
    const kind = { name: job.name, policy };
    this.#register({ kind, handler: (_, { signal }) => job.run(signal), periodic: job });
  }

  /** Begins; resolves when the queues are there for the first time, or when it was stopped before. A send begins too. */
  start(): Promise<void> {
    this.#starting ??= this.#startUntilItDoes();
    return this.#starting;
  }

  async send<Data extends JsonObject>(
    kind: JobKind<Data>,
    data: Data,
    options: SendOptions = {},
  ): Promise<void> {
    assert(this.#registered.has(kind.name), 'a job is sent only of a kind that has a handler');
    const { key, startAfterSeconds } = options;
    try {
      const boss = await this.#whenThere();
      await boss.send(kind.name, data, {
        // Without a key of its own each job is one of a kind.
        singletonKey: key ?? hexOf(this.#options.random.bytes(16)),
        ...(startAfterSeconds === undefined ? {} : { startAfter: startAfterSeconds }),
      });
    } catch (error) {
      throw error instanceof Fault ? error : notThere(error);
    }
    this.#workers.wake(kind.name);
  }

  async sendAgain(name: string, data: JsonObject): Promise<boolean> {
    const registered = this.#registered.get(name);
    if (registered === undefined) return false;
    await this.send(registered.kind, data);
    return true;
  }

  /** Before `start`: hears of each job that failed at every attempt, once or more often. */
  onDeath(bury: (letter: DeadJob) => Promise<void>): void {
    this.#bury = bury;
  }

  /** Jobs of each kind that could be done now and are not. */
  waiting(): ReadonlyMap<string, WaitingJobs> {
    return this.#waiting;
  }

  /** Takes no more jobs, tells those under way, and resolves when they have ended or their time is up. */
  async stop(): Promise<void> {
    for (const cancel of this.#ticks.splice(0)) cancel();
    this.#leaving.abort(new Fault('shutting_down', { detail: 'The server is going down.' }));
    await this.#starting;
    await this.#boss?.stop({ graceful: true, close: false, timeout: this.#options.drainMs });
    this.#boss = undefined;
  }

  async #whenThere(): Promise<PgBoss> {
    if (this.#boss === undefined) await within(this.#options.sendWaitMs ?? jobSendWaitMsMax, this.start());
    if (this.#boss === undefined) throw notThere(undefined);
    return this.#boss;
  }

  #register(registered: Registered): void {
    const { name } = registered.kind;
    assert(this.#starting === undefined, 'jobs are registered before the start');
    assert(!this.#registered.has(name) && name !== deadQueue, 'a kind of job has one handler');
    this.#registered.set(name, registered);
  }

  async #startUntilItDoes(): Promise<void> {
    const { timers, log, random } = this.#options;
    const { signal } = this.#leaving;
    for (
      let pauseMs = bossStartPauseMsMin;
      !signal.aborted;
      pauseMs = Math.min(pauseMs * 2, bossStartPauseMsMax)
    ) {
      const boss = this.#makeBoss();
      try {
        await boss.start();
        await this.#open(boss);
        return;
      } catch (error) {
        log.warn({ err: error }, 'the queues of jobs are not there yet; trying again');
        await boss.stop({ graceful: false, close: false }).catch(() => {});
      }
      await timers.sleep(pauseMs * (0.5 + unitInterval(random)), signal).catch(() => {});
    }
  }

  #makeBoss(): PgBoss {
    const { store, isEmbedded, works } = this.#options;
    const superviseSeconds = this.#options.superviseSeconds ?? bossSuperviseSeconds;
    const seldom = 3_600;
    const boss = new PgBoss({
      db: bossDatabase(store),
      backend: isEmbedded ? 'pglite' : 'postgres',
      schema: 'pgboss',
      schedule: false,
      supervise: works,
      superviseIntervalSeconds: superviseSeconds,
      monitorIntervalSeconds: superviseSeconds,
      maintenanceIntervalSeconds: periodicKeptSeconds,
      queueCacheIntervalSeconds: seldom,
      bamIntervalSeconds: seldom,
      flowIntervalSeconds: seldom,
      registerInstance: false,
      monitorVacuum: !isEmbedded,
      reindex: !isEmbedded,
    });
    boss.on('error', (error: unknown) => this.#tell(error));
    boss.on('warning', ({ message }: { readonly message: string }) => this.#tell(new Error(message)));
    return boss;
  }

  async #open(boss: PgBoss): Promise<void> {
    await boss.createQueue(deadQueue, {
      retryLimit: 1_000,
      retryBackoff: true,
      retryDelay: 1,
      retryDelayMax: 600,
    });
    for (const registered of this.#registered.values()) await openQueue(boss, registered);
    this.#boss = boss;
    if (!this.#options.works) return;
    const count = () => void this.#count(boss).catch((error: unknown) => this.#tell(error));
    this.#ticks.push(this.#options.timers.every(backlogReadMs, count));
    await this.#workers.openDead(boss, deadQueue, (letter) => this.#bury(letter));
    for (const registered of this.#registered.values()) {
      await this.#workers.open(boss, registered);
      if (registered.periodic !== undefined) this.#tick(boss, registered.periodic);
    }
  }

  /** As pg-boss counts them at its upkeep, so up to a minute old. */
  async #count(boss: PgBoss): Promise<void> {
    for (const { name, readyCount, readyOldestSeconds } of await boss.getQueues()) {
      this.#waiting.set(name, { count: readyCount, oldestSeconds: readyOldestSeconds ?? 0 });
    }
  }

  /** Each process asks for the run of a period; the store takes the first. */
  #tick(boss: PgBoss, { name, everySeconds }: PeriodicJob): void {
    const ask = async (): Promise<void> => {
      const options = { singletonKey: 'run', singletonSeconds: everySeconds };
      if ((await boss.send(name, null, options)) !== null) this.#workers.wake(name);
    };
    const run = () => void ask().catch((error: unknown) => this.#tell(error));
    this.#ticks.push(this.#options.timers.every(everySeconds * 1000, run));
    run();
  }

  /** A store that is down fails every poll: said once in a while, not for each. */
  #tell(error: unknown): void {
    const nowMs = this.#options.clock.monotonicMs();
    if (this.#leaving.signal.aborted || nowMs < this.#quietUntilMs) return;
    this.#quietUntilMs = nowMs + bossQuietMs;
    this.#options.log.warn({ err: error }, 'the queues of jobs had a problem');
  }
}

async function openQueue(boss: PgBoss, { kind, periodic }: Registered): Promise<void> {
  const { timeoutSeconds, retries, retryDelaySeconds } = kind.policy;
  const options = {
    expireInSeconds: timeoutSeconds,
    heartbeatSeconds: jobHeartbeatSeconds,
    retryLimit: retries,
    retryDelay: retryDelaySeconds,
    retryBackoff: true,
    deleteAfterSeconds: periodic === undefined ? jobKeptSeconds : periodicKeptSeconds,
    ...(kind.policy.leavesLetter ? { deadLetter: deadQueue } : {}),
  };
  // `exclusive`: of the jobs with one key, one waits or runs.
  await boss.createQueue(kind.name, { policy: 'exclusive', ...options });
  // A queue that an earlier version has made keeps its policy and takes on the rest.
  await boss.updateQueue(kind.name, options);
}

function notThere(cause: unknown): Fault {
  return new Fault('store_unavailable', {
    detail: 'The queues of jobs can not be reached.',
    retryAfterMs: 1000,
    ...(cause === undefined ? {} : { cause }),
  });
}
