import type { JsonObject } from '@keyswarm/core';
import {
  jobConcurrencyDefault,
  jobRetriesDefault,
  jobRetryDelaySecondsDefault,
  jobTimeoutSecondsDefault,
} from '../limits.ts';

/*
 * What a job is, apart from what it does. A kind is a constant of the room that owns the work, so that whoever
 * sends one and whoever does it agree on its data; `boot/register-jobs.ts` is the table of all of them.
 */

export interface JobPolicy {
  /** Jobs of this kind at once, in one process. */
  readonly concurrency: number;
  /** One attempt; past it the job is given to somebody else. Set against the work's own bound. */
  readonly timeoutSeconds: number;
  /** Attempts after the first. Then the job is a dead letter. */
  readonly retries: number;
  /** Before the first retry; it doubles, and is drawn at random. */
  readonly retryDelaySeconds: number;
  /** Is one that failed at every attempt kept as a dead letter, to be replayed? */
  readonly leavesLetter: boolean;
}

/**
 * `Data` is in the store as it is: no secret belongs in it. Where it has a `workspaceId`, a dead letter is that
 * workspace's; else it is the default one's, whose managers run the house.
 */
export interface JobKind<Data extends JsonObject> {
  /** Lower case, with a dot: the room and the work (`campaign.chunk`). */
  readonly name: string;
  readonly policy: JobPolicy;
  /** Never there: it carries the type of the data from the sender to the handler. */
  readonly data?: Data;
}

export function jobKind<Data extends JsonObject>(
  name: string,
  policy: Partial<JobPolicy> = {},
): JobKind<Data> {
  return Object.freeze({
    name,
    policy: {
      concurrency: jobConcurrencyDefault,
      timeoutSeconds: jobTimeoutSecondsDefault,
      retries: jobRetriesDefault,
      retryDelaySeconds: jobRetryDelaySecondsDefault,
      leavesLetter: true,
      ...policy,
    },
  });
}

/** What a handler is told besides the data. */
export interface JobContext {
  readonly id: string;
  /** 1 for the first. */
  readonly attempt: number;
  /**
   * Aborted when the attempt has run out of time or of its claim, and when the server goes down: finish the step
   * in hand and throw or return. What was thrown counts as a failed attempt.
   */
  readonly signal: AbortSignal;
}

/** May run twice for one job, and at once: a process that was taken for dead may still be at it. */
export type JobHandler<Data extends JsonObject> = (data: Data, context: JobContext) => Promise<void>;

export interface PeriodicJob {
  readonly name: string;
  /** Of all processes together one run in each such span, as long as any of them is up. */
  readonly everySeconds: number;
  /** By default the period, and at least `jobTimeoutSecondsDefault`. */
  readonly timeoutSeconds?: number;
  /** Safe to be run twice and at once. A run that fails is told of and left to the next one. */
  readonly run: (signal: AbortSignal) => Promise<void>;
}
