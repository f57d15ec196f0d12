import type { WebhookId, WorkspaceId } from '@keyswarm/core';
import type { Caller } from '../access/caller.ts';
import { requireScope } from '../access/grants.ts';
import type { UseCasePorts } from '../access/use-case-ports.ts';
import { listPagesMax } from '../limits.ts';
import { webhookNotFound } from './change-webhook.ts';
import { type Webhook, webhookOf } from './webhook.ts';

export interface WebhookPage {
  readonly webhooks: readonly Webhook[];
  /** Null: there are no more. */
  readonly next: WebhookId | null;
}

export async function listWebhooks(
  ports: UseCasePorts,
  caller: Caller,
  page: { readonly after?: WebhookId | undefined; readonly limit: number },
): Promise<WebhookPage> {
  requireScope(caller, 'webhooks:read');
  return await webhooksOf(ports, caller.workspaceId, page);
}

export async function getWebhook(ports: UseCasePorts, caller: Caller, id: WebhookId): Promise<Webhook> {
  requireScope(caller, 'webhooks:read');
  const document = await ports.reader.document(id);
  const webhook = document && webhookOf(document);
  if (webhook === undefined || webhook.workspaceId !== caller.workspaceId || webhook.state === 'deleted') {
    throw webhookNotFound();
  }
  return webhook;
}

/** Those that are not deleted. A page may be short where many were. */
export async function webhooksOf(
  ports: UseCasePorts,
  workspaceId: WorkspaceId,
  { after, limit }: { readonly after?: WebhookId | undefined; readonly limit: number },
): Promise<WebhookPage> {
  const webhooks: Webhook[] = [];
  let from = after;
  for (let pages = 0; pages < listPagesMax; pages += 1) {
    const found = (await ports.reader.documents({ kind: 'wh', workspaceId, after: from, limit })).map(
      webhookOf,
    );
    for (const webhook of found) {
      if (webhook.state !== 'deleted') webhooks.push(webhook);
      from = webhook.id;
      if (webhooks.length === limit) return { webhooks, next: webhook.id };
    }
    if (found.length < limit) return { webhooks, next: null };
  }
  return { webhooks, next: from ?? null };
}
