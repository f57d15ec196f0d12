import type {
  ApprovalId,
  CampaignId,
  KeyId,
  KeyspaceId,
  OwnerId,
  SigningKeyId,
  WebhookId,
  WorkspaceId,
} from '../ids/ids.ts';
import type { OwnerKind, StoredKeyState, VersionState } from '../lifecycle/key-record.ts';
import type { VersionProof } from '../lifecycle/version-proof.ts';
import type { SigningKeyFact } from '../signing/signing-key-fact.ts';

/*
 * What a verifier needs to know, and nothing else. A fact is self-contained: applying it twice, late or out
 * of order is harmless, because it carries the revision of the thing it speaks of and the higher one wins.
 * Times are Unix milliseconds; null means "no such limit".
 */

export interface VersionFact {
  readonly number: number;
  /** The first 16 bytes of SHA-256 of the key string. */
  readonly fingerprint: Uint8Array;
  readonly state: VersionState;
  readonly mintedAtMs: number;
  readonly retiresAtMs: number | null;
}

/** What few keys have (`key-traits.ts`), as far as a verifier has to know it. */
export interface KeyTraitsFact {
  readonly renewAfterMs?: number;
  readonly parentId?: KeyId;
  readonly enrollment?: true;
  readonly proofs?: readonly VersionProof[];
}

export interface KeyFact {
  readonly id: KeyId;
  readonly revision: number;
  readonly keyspaceId: KeyspaceId;
  readonly ownerId: OwnerId;
  readonly scopes: readonly string[];
  readonly state: StoredKeyState;
  readonly notBeforeMs: number | null;
  readonly expiresAtMs: number | null;
  /** Absent where there is none of it. */
  readonly traits?: KeyTraitsFact;
  readonly versions: readonly VersionFact[];
}

export interface OwnerFact {
  readonly id: OwnerId;
  readonly revision: number;
  readonly kind: OwnerKind;
  readonly externalId: string;
  readonly state: 'active' | 'suspended';
  readonly keysNotBeforeMs: number | null;
}

export interface KeyspaceFact {
  readonly id: KeyspaceId;
  readonly workspaceId: WorkspaceId;
  readonly revision: number;
  readonly name: string;
  readonly state: 'active' | 'suspended';
  readonly leaseMs: number;
  /** Requests have to be signed: a bare bearer is refused. Absent: they may be. */
  readonly proof?: 'signature';
  readonly keysNotBeforeMs: number | null;
}

/** Where a feed row stands: gapless and ascending within (epoch, shard). */
export interface FeedPosition {
  readonly epoch: number;
  readonly shard: number;
  readonly seq: number;
}

/** What a change can be of. Of campaigns, approvals and webhooks verifiers need to know nothing: rows of them carry no fact. */
export type SubjectId = KeyId | OwnerId | KeyspaceId | CampaignId | ApprovalId | WebhookId | SigningKeyId;

/** One committed change. A key row also carries its owner and keyspace as they were at commit. */
export interface FeedRow extends FeedPosition {
  /** The event's name after `dev.keyswarm.`, such as `key.issued`. */
  readonly type: EventType;
  readonly atMs: number;
  readonly workspaceId: WorkspaceId;
  /** The id of what changed. */
  readonly subject: SubjectId;
  readonly key: KeyFact | null;
  readonly owner: OwnerFact | null;
  readonly keyspace: KeyspaceFact | null;
  /** Of a `signing_key.*` row; absent in every other. */
  readonly signingKey?: SigningKeyFact;
  /** Public details of the event (reason, version, actor …): never a secret, never a fingerprint. */
  readonly data: Readonly<Record<string, unknown>>;
}

export const eventTypes = [
  'key.issued',
  'key.imported',
  'key.updated',
  'key.rotated',
  'key.retired',
  'key.suspended',
  'key.resumed',
  'key.revoked',
  'key.expiring',
  'key.expired',
  'key.renew_requested',
  'key.exchanged',
  'owner.created',
  'owner.suspended',
  'owner.resumed',
  'owner.keys_revoked',
  'keyspace.created',
  'keyspace.updated',
  'keyspace.suspended',
  'keyspace.resumed',
  'keyspace.keys_revoked',
  'campaign.started',
  'campaign.paused',
  'campaign.resumed',
  'campaign.aborted',
  'campaign.finished',
  'approval.requested',
  'approval.approved',
  'approval.denied',
  'approval.expired',
  'approval.withdrawn',
  'webhook.created',
  'webhook.updated',
  'webhook.deleted',
  'signing_key.published',
  'signing_key.activated',
  'signing_key.retired',
  'signing_key.removed',
  'signing_key.revoked',
] as const;

export type EventType = (typeof eventTypes)[number];
