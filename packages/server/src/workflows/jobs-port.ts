import type { JsonObject, WorkspaceId } from '@keyswarm/core';
import type { DeadLetter } from '../storage/dead-letter-port.ts';
import type { JobKind } from './job-kind.ts';

export interface SendOptions {
  /** While a job with this key waits or runs, another one is not taken in: the first stands for both. */
  readonly key?: string;
  readonly startAfterSeconds?: number;
}

/** A job that failed at every attempt. Null: its data name no workspace. */
export interface DeadJob extends Omit<DeadLetter, 'workspaceId'> {
  readonly workspaceId: WorkspaceId | null;
}

/** How a use-case leaves work to be done. */
export interface Jobs {
  /**
   * Resolves when the job is in the store: it will be done, whatever becomes of this process. It is not part of
   * the caller's own transaction; what must not be lost between the two is found again by a periodic job.
   * Throws `Fault('store_unavailable')` while the queues can't be reached.
   */
  send<Data extends JsonObject>(kind: JobKind<Data>, data: Data, options?: SendOptions): Promise<void>;
}

/** How what was given up is done again. */
export interface JobReplays {
  /** By the job's name. False where no kind has it. */
  sendAgain(name: string, data: JsonObject): Promise<boolean>;
}
