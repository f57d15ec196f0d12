import type { EventType, FeedRow, KeyspaceId, Secret, WebhookId, WorkspaceId } from '@keyswarm/core';
import type { SecretSealer } from '../signing/sealed-secret.ts';
import type { Webhook } from '../webhooks/webhook.ts';

/** A webhook as its deliveries need it. */
export interface Target {
  readonly id: WebhookId;
  readonly workspaceId: WorkspaceId;
  readonly revision: number;
  readonly url: URL;
  readonly types: readonly EventType[] | null;
  readonly keyspaceId: KeyspaceId | null;
  readonly secret: Secret;
  readonly previous: { readonly secret: Secret; readonly untilMs: number } | null;
  readonly from: { readonly epoch: number; readonly seqs: readonly number[] };
}

/** Undefined for one that is not active. Throws where its secret can't be opened. */
export function targetOf(webhook: Webhook, sealer: SecretSealer): Target | undefined {
  const { id, workspaceId, revision, types, keyspaceId, from, sealedSecret, previous } = webhook;
  if (webhook.state !== 'active' || sealedSecret === null) return undefined;
  return {
    id,
    workspaceId,
    revision,
    url: new URL(webhook.url),
    types,
    keyspaceId,
    secret: sealer.open(id, sealedSecret),
    previous: previous && { secret: sealer.open(id, previous.sealedSecret), untilMs: previous.untilMs },
    from,
  };
}

/** The newest first: a consumer that has it looks no further. */
export function secretsAt({ secret, previous }: Target, nowMs: number): readonly Secret[] {
  return previous !== null && nowMs < previous.untilMs ? [secret, previous.secret] : [secret];
}

/** Is this row of its keyspace? Its workspace and type were asked for. */
export function concerns({ keyspaceId }: Target, row: FeedRow): boolean {
  if (keyspaceId === null) return true;
  return row.keyspace?.id === keyspaceId || row.data.keyspace === keyspaceId;
}
