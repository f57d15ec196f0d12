import type { DeadLetterId, JsonObject, WorkspaceId } from '@keyswarm/core';

/**
 * `event`: a webhook's consumer would not take it; the body is the event as it was sent. `range`: a stretch of the
 * feed was gone before it was delivered; the body says which. `job`: every attempt at it failed; the body is its data.
 */
export type DeadLetterKind = 'event' | 'range' | 'job';

/** What was given up, and why. */
export interface DeadLetter {
  readonly id: DeadLetterId;
  readonly workspaceId: WorkspaceId;
  readonly kind: DeadLetterKind;
  /** The webhook's id, or the name of the job's kind. */
  readonly source: string;
  readonly body: JsonObject;
  readonly reason: string;
  readonly attempts: number;
  readonly diedAtMs: number;
}

export interface DeadLetters {
  add(letter: DeadLetter): Promise<void>;
  find(id: DeadLetterId): Promise<DeadLetter | undefined>;
  /** Ascending by id. */
  list(
    workspaceId: WorkspaceId,
    page: { readonly after?: DeadLetterId | undefined; readonly limit: number },
  ): Promise<readonly DeadLetter[]>;
  /** Was it there? */
  remove(id: DeadLetterId): Promise<boolean>;
}
