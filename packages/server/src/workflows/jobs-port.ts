import type { JsonObject } from '@keyswarm/core';
import type { JobKind } from './job-kind.ts';

export interface SendOptions {
  /** While a job with this key waits or runs, another one is not taken in: the first stands for both. */
  readonly key?: string;
  readonly startAfterSeconds?: number;
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
