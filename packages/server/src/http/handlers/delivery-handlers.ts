import {
  type DeadLetterReply,
  decodeIdCursor,
  encodeIdCursor,
  nullableTimeText,
  pageLimitOf,
  placedView,
  timeText,
  type WebhookReply,
} from '@keyswarm/contract';
import { assert, type DeadLetterId, type WebhookId } from '@keyswarm/core';
import {
  type DeadLetterPorts,
  discardDeadLetter,
  listOfDeadLetters,
  replayDeadLetter,
} from '../../dead-letters/dead-letters.ts';
import type { DeadLetter } from '../../storage/dead-letter-port.ts';
import type { DeliveryHealth } from '../../storage/delivery-health-port.ts';
import {
  createWebhook,
  deleteWebhook,
  rotateWebhookSecret,
  updateWebhook,
  type WebhookPorts,
} from '../../webhooks/change-webhook.ts';
import { getWebhook, listWebhooks } from '../../webhooks/read-webhooks.ts';
import type { Webhook } from '../../webhooks/webhook.ts';
import type { Handlers } from '../handler.ts';

type Deliveries =
  | 'createWebhook'
  | 'listWebhooks'
  | 'getWebhook'
  | 'updateWebhook'
  | 'rotateWebhookSecret'
  | 'deleteWebhook'
  | 'listDeadLetters'
  | 'replayDeadLetter'
  | 'discardDeadLetter';

/** Webhooks, and what was given up. */
export function deliveryHandlers(ports: WebhookPorts & DeadLetterPorts): Handlers<Deliveries> {
  return {
    async createWebhook({ body, caller, idempotency }) {
      const { webhook, secret, at } = await createWebhook(ports, caller, body, idempotency);
      return placedView({ ...webhookView(webhook), secret: secret.reveal() }, at);
    },

    async listWebhooks({ query, caller }) {
      const after = query.cursor === undefined ? undefined : decodeIdCursor('wh', query.cursor);
      const { webhooks, next } = await listWebhooks(ports, caller, {
        after,
        limit: pageLimitOf(query.limit),
      });
      const health = await ports.deliveryHealth.of(webhooks.map(({ id }) => id));
      const items = webhooks.map((one) => ({ ...webhookView(one), ...deliveryView(health.get(one.id)) }));
      return { items, next_cursor: next === null ? null : encodeIdCursor(next) };
    },

    async getWebhook({ params, caller }) {
      const webhook = await getWebhook(ports, caller, params.id as WebhookId);
      const health = await ports.deliveryHealth.of([webhook.id]);
      return { ...webhookView(webhook), ...deliveryView(health.get(webhook.id)) };
    },

    async updateWebhook({ params, body, caller }) {
      const { webhook, at } = await updateWebhook(ports, caller, params.id as WebhookId, body);
      return placedView(webhookView(webhook), at);
    },

    async rotateWebhookSecret({ params, body, caller, idempotency }) {
      const wish = { id: params.id as WebhookId, overlapSeconds: body.overlap_seconds };
      const { webhook, secret, at } = await rotateWebhookSecret(ports, caller, wish, idempotency);
      return placedView({ ...webhookView(webhook), secret: secret.reveal() }, at);
    },

    async deleteWebhook({ params, caller, idempotency }) {
      const { webhook, at } = await deleteWebhook(ports, caller, params.id as WebhookId, idempotency);
      return placedView({ id: webhook.id }, at);
    },

    async listDeadLetters({ query, caller }) {
      const after = query.cursor === undefined ? undefined : decodeIdCursor('dl', query.cursor);
      const page = { after, limit: pageLimitOf(query.limit) };
      const { letters, next } = await listOfDeadLetters(ports, caller, page);
      return { items: letters.map(letterView), next_cursor: next === null ? null : encodeIdCursor(next) };
    },

    async replayDeadLetter({ params, caller }) {
      await replayDeadLetter(ports, caller, params.id as DeadLetterId);
      return { id: params.id, state: 'queued' };
    },

    async discardDeadLetter({ params, caller }) {
      await discardDeadLetter(ports, caller, params.id as DeadLetterId);
      return { id: params.id, state: 'discarded' };
    },
  };
}

function webhookView(webhook: Webhook): WebhookReply {
  const { state } = webhook;
  assert(state !== 'deleted' || webhook.sealedSecret === null, 'the secrets of a deleted webhook are wiped');
  return {
    id: webhook.id,
    url: webhook.url,
    description: webhook.description,
    types: webhook.types,
    keyspace_id: webhook.keyspaceId,
    state: state === 'active' ? 'active' : 'disabled',
    disabled_reason: webhook.disabledReason,
    previous_secret_until: nullableTimeText(webhook.previous?.untilMs ?? null),
    created_at: timeText(webhook.createdAtMs),
    updated_at: timeText(webhook.updatedAtMs),
    revision: webhook.revision,
  };
}

function deliveryView(health: DeliveryHealth | undefined): Pick<WebhookReply, 'delivery'> {
  if (health === undefined) return {};
  return {
    delivery: {
      failing_since: nullableTimeText(health.failingSinceMs),
      attempts: health.attempts,
      last_error: health.lastError,
      retry_at: nullableTimeText(health.retryAtMs),
      waiting_at_most: health.waitingAtMost,
    },
  };
}

function letterView(letter: DeadLetter): DeadLetterReply {
  const { id, kind, source, body, reason, attempts } = letter;
  return { id, kind, source, body, reason, attempts, died_at: timeText(letter.diedAtMs) };
}
