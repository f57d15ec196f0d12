import type { WebhookId } from '@keyswarm/core';

/** How a webhook is served, over all shards. */
export interface DeliveryHealth {
  /** Unix ms: since when its consumer has taken nothing in a shard that waits for it; null: nothing fails. */
  readonly failingSinceMs: number | null;
  /** Of the event that is to be sent next, in the shard that fails for longest. */
  readonly attempts: number;
  readonly lastError: string | null;
  /** Unix ms; null: now, or nothing fails. */
  readonly retryAtMs: number | null;
  /** Changes that it has not been told of; at most so many of them concern it. */
  readonly waitingAtMost: number;
}

export interface DeliveryHealthReader {
  /** Those that are served; one that was made a moment ago is not yet. */
  of(webhooks: readonly WebhookId[]): Promise<ReadonlyMap<WebhookId, DeliveryHealth>>;
}
