import {
  assert,
  type DocumentRecord,
  type EventType,
  type JsonObject,
  type KeyspaceId,
  type WebhookId,
  type WorkspaceId,
} from '@keyswarm/core';

/*
 * A webhook: where events of a workspace are sent. It is a document of kind `wh`; this is what its body means.
 * Secrets stand in it sealed. `deleted` is a state, for the id stays known in events and in the audit record; its
 * secrets are gone then.
 */

export type WebhookState = 'active' | 'disabled' | 'deleted';
/** Why one is disabled: somebody asked, it failed for too long, or the consumer said 410. */
export type DisabledReason = 'request' | 'failing' | 'gone';

export interface Webhook {
  readonly id: WebhookId;
  readonly workspaceId: WorkspaceId;
  readonly state: WebhookState;
  readonly disabledReason: DisabledReason | null;
  readonly url: string;
  readonly description: string;
  /** Null: all. */
  readonly types: readonly EventType[] | null;
  readonly keyspaceId: KeyspaceId | null;
  readonly sealedSecret: string | null;
  /** The one before a rotation, which signs as well until then. */
  readonly previous: { readonly sealedSecret: string; readonly untilMs: number } | null;
  /** What was committed before it was made, in each shard: delivery begins behind it. */
  readonly from: { readonly epoch: number; readonly seqs: readonly number[] };
  readonly createdAtMs: number;
  readonly updatedAtMs: number;
  readonly revision: number;
}

export function webhookOf(document: DocumentRecord): Webhook {
  // Only this room writes bodies of this kind.
  const body = document.body as unknown as Omit<
    Webhook,
    'id' | 'workspaceId' | 'createdAtMs' | 'updatedAtMs' | 'revision'
  >;
  const { workspaceId, createdAtMs, updatedAtMs, revision } = document;
  assert(document.id.startsWith('wh_'), 'a webhook is a document of its kind');
  const id = document.id as WebhookId;
  return { ...body, id, workspaceId, createdAtMs, updatedAtMs, revision };
}

export function documentOf(webhook: Webhook): DocumentRecord {
  const { id, workspaceId, createdAtMs, updatedAtMs, revision, ...body } = webhook;
  return { id, workspaceId, createdAtMs, updatedAtMs, revision, body: body as unknown as JsonObject };
}

/** The webhook one revision on. */
export function changedWebhook(webhook: Webhook, change: Partial<Webhook>, nowMs: number): Webhook {
  return { ...webhook, ...change, updatedAtMs: nowMs, revision: webhook.revision + 1 };
}

/** What events and the audit record say of it. The address may hold a token in its path or query: only its origin. */
export function webhookEventData(webhook: Webhook): Readonly<Record<string, unknown>> {
  const { state, disabledReason, types, keyspaceId } = webhook;
  return {
    origin: new URL(webhook.url).origin,
    state,
    ...(disabledReason === null ? {} : { reason: disabledReason }),
    ...(types === null ? {} : { types }),
    ...(keyspaceId === null ? {} : { keyspace: keyspaceId }),
  };
}
