import { webhookOverlapSecondsDefault } from '@keyswarm/contract';
import {
  assert,
  type EventType,
  Fault,
  type FeedPosition,
  idFromUuidBytes,
  type KeyspaceId,
  type Secret,
  shardOfId,
  uuidV7,
  type WebhookId,
} from '@keyswarm/core';
import { actorOf, type Caller } from '../access/caller.ts';
import { placeOf } from '../access/change-place.ts';
import { missingKeyspace } from '../access/find-keyspace.ts';
import { requireScope } from '../access/grants.ts';
import type { UseCasePorts } from '../access/use-case-ports.ts';
import { checkTargetUrl, type TargetPolicy } from '../egress/check-url.ts';
import type { Actor, Change } from '../lanes/lane-port.ts';
import { webhooksPerWorkspaceMax } from '../limits.ts';
import type { IdempotencyScope } from '../signing/idempotency.ts';
import type { SecretSealer } from '../signing/sealed-secret.ts';
import type { DeliveryHealthReader } from '../storage/delivery-health-port.ts';
import {
  changedWebhook,
  type DisabledReason,
  documentOf,
  type Webhook,
  webhookEventData,
  webhookOf,
} from './webhook.ts';
import { mintWebhookSecret } from './webhook-secret.ts';

export interface WebhookPorts extends UseCasePorts {
  readonly sealer: SecretSealer;
  readonly targets: TargetPolicy;
  readonly deliveryHealth: DeliveryHealthReader;
}

export interface WebhookTerms {
  readonly url: string;
  readonly description?: string | undefined;
  readonly types?: readonly EventType[] | null | undefined;
  /** By id or by name. */
  readonly keyspace?: string | null | undefined;
}

export interface PlacedWebhook {
  readonly webhook: Webhook;
  readonly at: FeedPosition;
}

export interface PlacedWebhookSecret extends PlacedWebhook {
  readonly secret: Secret;
}

/** A webhook gives its owner every event of the workspace, so whoever makes one has to be allowed to read them. */
function requireWrite(caller: Caller): void {
  requireScope(caller, 'webhooks:write');
  requireScope(caller, 'events:read');
}

export async function createWebhook(
  ports: WebhookPorts,
  caller: Caller,
  terms: WebhookTerms,
  idempotency: IdempotencyScope | undefined,
): Promise<PlacedWebhookSecret> {
  requireWrite(caller);
  checkTargetUrl(terms.url, ports.targets);
  const keyspaceId = await keyspaceIdOf(ports, caller, terms.keyspace);
  const isFull = await hasMost(ports, caller);
  const secret = mintWebhookSecret(ports.random);
  const id = idFromUuidBytes('wh', uuidV7(ports.clock.nowMs(), ports.random.bytes(10)));
  const from = await ports.reader.heads();
  const sealedSecret = ports.sealer.seal(id, secret);
  const ticket = idempotency?.ticket<{ readonly webhook: Webhook; readonly secret: Secret }>();
  const receipt = await ports.lanes.submit<{ readonly webhook: Webhook; readonly secret: Secret }>({
    shard: shardOfId(id, ports.shards),
    weight: 1,
    actor: actorOf(caller),
    reads: { documents: [id] },
    decide(_, nowMs) {
      // Within the write, so that a retry of the one that came last gets its secret.
      if (isFull) throw tooMany();
      const webhook: Webhook = {
        id,
        workspaceId: caller.workspaceId,
        state: 'active',
        disabledReason: null,
        url: terms.url,
        description: terms.description ?? '',
        types: terms.types ?? null,
        keyspaceId: keyspaceId ?? null,
        sealedSecret,
        previous: null,
        from,
        createdAtMs: nowMs,
        updatedAtMs: nowMs,
        revision: 1,
      };
      return {
        changes: [changeOf('webhook.created', webhook, caller.keyId)],
        reply: { webhook, secret },
      };
    },
    ...(ticket === undefined ? {} : { idempotency: ticket }),
  });
  return { ...receipt.reply, at: placeOf(receipt) };
}

export interface WebhookPatch extends Partial<WebhookTerms> {
  readonly state?: 'active' | 'disabled' | undefined;
}

export async function updateWebhook(
  ports: WebhookPorts,
  caller: Caller,
  id: WebhookId,
  patch: WebhookPatch,
): Promise<PlacedWebhook> {
  requireWrite(caller);
  if (patch.url !== undefined) checkTargetUrl(patch.url, ports.targets);
  const keyspaceId = await keyspaceIdOf(ports, caller, patch.keyspace);
  const state = patch.state === undefined ? {} : stateChange(patch.state);
  const change: Partial<Webhook> = {
    ...(patch.url === undefined ? {} : { url: patch.url }),
    ...(patch.description === undefined ? {} : { description: patch.description }),
    ...(patch.types === undefined ? {} : { types: patch.types }),
    ...(keyspaceId === undefined ? {} : { keyspaceId }),
    ...state,
  };
  return await changeOne(ports, caller, { id, event: 'webhook.updated', change: () => change });
}

export async function deleteWebhook(
  ports: WebhookPorts,
  caller: Caller,
  id: WebhookId,
  idempotency: IdempotencyScope | undefined,
): Promise<PlacedWebhook> {
  requireWrite(caller);
  const gone = { state: 'deleted', sealedSecret: null, previous: null, disabledReason: null } as const;
  return await changeOne(ports, caller, { id, event: 'webhook.deleted', change: () => gone, idempotency });
}

/** The secret before this one signs as well until the overlap ends, in the same header. */
export async function rotateWebhookSecret(
  ports: WebhookPorts,
  caller: Caller,
  { id, overlapSeconds }: { readonly id: WebhookId; readonly overlapSeconds?: number | undefined },
  idempotency: IdempotencyScope | undefined,
): Promise<PlacedWebhookSecret> {
  requireWrite(caller);
  const secret = mintWebhookSecret(ports.random);
  const sealedSecret = ports.sealer.seal(id, secret);
  const overlapMs = (overlapSeconds ?? webhookOverlapSecondsDefault) * 1000;
  const placed = await changeOne(ports, caller, {
    id,
    event: 'webhook.updated',
    idempotency,
    secret,
    change: (webhook, nowMs) => ({
      sealedSecret,
      previous:
        webhook.sealedSecret === null || overlapMs === 0
          ? null
          : { sealedSecret: webhook.sealedSecret, untilMs: nowMs + overlapMs },
    }),
  });
  assert(placed.secret !== undefined, 'a new secret is in the reply');
  return { ...placed, secret: placed.secret };
}

/** By the house: it has failed for too long, or its consumer said that it is gone. Nothing where it isn't active. */
export async function disableWebhook(
  ports: Pick<UseCasePorts, 'lanes' | 'shards'>,
  { id, workspaceId }: Pick<Webhook, 'id' | 'workspaceId'>,
  reason: DisabledReason,
): Promise<void> {
  const actor: Actor = { workspaceId, keyId: null, requestId: 'deliveries' };
  await ports.lanes.submit<null>({
    shard: shardOfId(id, ports.shards),
    weight: 1,
    actor,
    reads: { documents: [id] },
    decide(view, nowMs) {
      const document = view.document(id);
      const webhook = document && webhookOf(document);
      if (webhook?.state !== 'active') return { changes: [], reply: null };
      const after = changedWebhook(webhook, { state: 'disabled', disabledReason: reason }, nowMs);
      return { changes: [changeOf('webhook.updated', after, null)], reply: null };
    },
  });
}

interface OneChange {
  readonly id: WebhookId;
  readonly event: Change['event'];
  readonly change: (webhook: Webhook, nowMs: number) => Partial<Webhook>;
  readonly idempotency?: IdempotencyScope | undefined;
  readonly secret?: Secret;
}

interface ChangedOne {
  readonly webhook: Webhook;
  readonly secret: Secret | undefined;
}

async function changeOne(
  ports: WebhookPorts,
  caller: Caller,
  wish: OneChange,
): Promise<ChangedOne & PlacedWebhook> {
  const { id } = wish;
  const ticket = wish.idempotency?.ticket<ChangedOne>();
  const receipt = await ports.lanes.submit<ChangedOne>({
    shard: shardOfId(id, ports.shards),
    weight: 1,
    actor: actorOf(caller),
    reads: { documents: [id] },
    decide(view, nowMs) {
      const document = view.document(id);
      const webhook = document && webhookOf(document);
      if (
        webhook === undefined ||
        webhook.workspaceId !== caller.workspaceId ||
        webhook.state === 'deleted'
      ) {
        throw webhookNotFound();
      }
      const after = changedWebhook(webhook, wish.change(webhook, nowMs), nowMs);
      return {
        changes: [changeOf(wish.event, after, caller.keyId)],
        reply: { webhook: after, secret: wish.secret },
      };
    },
    ...(ticket === undefined ? {} : { idempotency: ticket }),
  });
  return { ...receipt.reply, at: placeOf(receipt) };
}

function changeOf(event: Change['event'], webhook: Webhook, actor: Actor['keyId']): Change {
  const data = { ...(actor === null ? {} : { actor }), ...webhookEventData(webhook) };
  return { kind: 'document', event, after: documentOf(webhook), data };
}

function stateChange(state: 'active' | 'disabled'): Partial<Webhook> {
  return { state, disabledReason: state === 'active' ? null : 'request' };
}

/** Undefined: not named. Null: of every keyspace. */
async function keyspaceIdOf(
  ports: WebhookPorts,
  caller: Caller,
  keyspace: string | null | undefined,
): Promise<KeyspaceId | null | undefined> {
  if (keyspace === undefined || keyspace === null) return keyspace;
  const found = await ports.keyspaces.find(caller.workspaceId, keyspace);
  if (found === undefined) throw await missingKeyspace(ports, caller, keyspace, '/keyspace');
  return found.id;
}

/** As many as a workspace may have? By their states: those that were deleted are kept, and may be many. */
async function hasMost({ reader }: WebhookPorts, { workspaceId }: Caller): Promise<boolean> {
  const limit = webhooksPerWorkspaceMax;
  const active = await reader.documents({ kind: 'wh', workspaceId, state: 'active', limit });
  const disabled = await reader.documents({ kind: 'wh', workspaceId, state: 'disabled', limit });
  return active.length + disabled.length >= webhooksPerWorkspaceMax;
}

function tooMany(): Fault {
  return new Fault('invalid_field', {
    detail: `This workspace has ${webhooksPerWorkspaceMax} webhooks already.`,
    field: '/url',
    expected: `at most ${webhooksPerWorkspaceMax} webhooks`,
  });
}

export function webhookNotFound(): Fault {
  return new Fault('not_found', { detail: 'There is no such webhook here.', field: 'id' });
}
