import { idFromUuidText, type JsonObject, parseId } from '@keyswarm/core';
import type { Job, JobWithMetadata, PgBoss } from 'pg-boss';
import type { Log } from '../logging/log.ts';
import type { Clock } from '../runtime/clock.ts';
import type { DeadJob } from './jobs-port.ts';
import type { Registered } from './workflows.ts';

/** What is kept of an error's sentence. */
const reasonLengthMax = 500;

/** Hears of every attempt at a job. */
export interface JobObserver {
  attempted(job: string, outcome: 'done' | 'failed', durationMs: number): void;
}

export interface QueueWorkersOptions {
  readonly clock: Clock;
  readonly observer: JobObserver | undefined;
  readonly log: Log;
  readonly concurrencyMax: number;
  readonly pollSeconds: number;
  readonly leaving: AbortSignal;
}

/**
 * The workers of this process: as many a kind as may run at once, each of which takes one job after another. One
 * that finished a job looks for the next at once; one that found none sleeps until it is woken or its poll is due.
 */
export class QueueWorkers {
  readonly #options: QueueWorkersOptions;
  readonly #wakers = new Map<string, (() => void)[]>();

  constructor(options: QueueWorkersOptions) {
    this.#options = options;
  }

  async open(boss: PgBoss, registered: Registered): Promise<void> {
    const { name, policy } = registered.kind;
    const wakers: (() => void)[] = [];
    this.#wakers.set(name, wakers);
    const count = Math.min(policy.concurrency, this.#options.concurrencyMax);
    for (let worker = 0; worker < count; worker += 1) {
      let wake = (): void => {};
      const options = { pollingIntervalSeconds: this.#options.pollSeconds };
      const id = await boss.work<JsonObject | null>(name, options, async ([job]) => {
        if (job === undefined) return;
        try {
          await this.#run(registered, job);
        } finally {
          wake();
        }
      });
      wake = () => boss.notifyWorker(id);
      wakers.push(wake);
    }
  }

  /** Jobs that failed at every attempt, one after the other. */
  async openDead(boss: PgBoss, queue: string, bury: (letter: DeadJob) => Promise<void>): Promise<void> {
    const options = { pollingIntervalSeconds: this.#options.pollSeconds, includeMetadata: true as const };
    let wake = (): void => {};
    const id = await boss.work(queue, options, async ([job]: JobWithMetadata<JsonObject>[]) => {
      if (job !== undefined) await bury(letterOf(job));
      wake();
    });
    wake = () => boss.notifyWorker(id);
  }

  wake(name: string): void {
    for (const wake of this.#wakers.get(name) ?? []) wake();
  }

  async #run({ kind, handler }: Registered, job: Job<JsonObject | null>): Promise<void> {
    const signal = AbortSignal.any([job.signal, this.#options.leaving]);
    const attempt = job.retryCount + 1;
    const { clock, observer } = this.#options;
    const beganMs = clock.monotonicMs();
    try {
      await handler(job.data ?? {}, { id: job.id, attempt, signal });
      observer?.attempted(kind.name, 'done', clock.monotonicMs() - beganMs);
    } catch (error) {
      observer?.attempted(kind.name, 'failed', clock.monotonicMs() - beganMs);
      this.#options.log.warn({ job: kind.name, id: job.id, attempt, err: error }, 'a job failed');
      throw withoutDetails(error);
    }
  }
}

/** Its id is the job's own, so that one which is told of twice is one letter. */
function letterOf(job: JobWithMetadata<JsonObject>): DeadJob {
  const body = job.data ?? {};
  const { workspaceId } = body;
  const { message } = (job.sourceOutput ?? {}) as { readonly message?: unknown };
  return {
    id: idFromUuidText('dl', job.sourceId ?? job.id),
    workspaceId: typeof workspaceId === 'string' ? (parseId('ws', workspaceId) ?? null) : null,
    kind: 'job',
    source: job.sourceName ?? job.name,
    body,
    reason:
      typeof message === 'string' ? message.slice(0, reasonLengthMax) : 'it was not finished in its time',
    attempts: (job.sourceRetryCount ?? 0) + 1,
    // The store gives a time as a number.
    diedAtMs: Number(job.createdOn),
  };
}

/** pg-boss keeps what is thrown as the job's output: the sentence is kept, and whatever else hangs on it is not. */
function withoutDetails(error: unknown): Error {
  const plain = new Error(error instanceof Error ? error.message : 'not an Error');
  plain.stack = '';
  return plain;
}
