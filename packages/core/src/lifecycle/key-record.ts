import type { KeyId, KeyspaceId, OwnerId, WorkspaceId } from '../ids/ids.ts';
import type { KeyTraits } from './key-traits.ts';
import type { KeyspaceRules } from './keyspace-rules.ts';

/**
 * The state a key is stored in. `pending` and `expired` are not stored: they follow from the clock and
 * `notBeforeMs` / `expiresAtMs`, so that no sweep has to run for an expiry to be exact.
 */
export type StoredKeyState = 'active' | 'suspended' | 'revoked';

/** What a key is at an instant (NIST SP 800-57 part 1, section 7, where the names fit). */
export type KeyState = 'pending' | StoredKeyState | 'expired';

/** What a version is at an instant. A `grace` version whose `retiresAtMs` has passed is `retired`. */
export type VersionState = 'active' | 'grace' | 'retired';

/** One secret of a key. The secret itself is nowhere: only its fingerprint is kept. */
export interface KeyVersion {
  /** 1 for the first secret, one more for each rotation. */
  readonly number: number;
  /** SHA-256 of the whole key string, 32 bytes. */
  readonly fingerprint: Uint8Array;
  readonly state: VersionState;
  readonly mintedAtMs: number;
  /** When a `grace` version stops working by itself; null while `active`. */
  readonly retiresAtMs: number | null;
}

/** The lasting identity with its newest versions: three at the most, of which two may be live. */
export interface KeyRecord {
  readonly id: KeyId;
  readonly workspaceId: WorkspaceId;
  readonly keyspaceId: KeyspaceId;
  readonly ownerId: OwnerId;
  readonly name: string;
  /** Sorted, without duplicates. */
  readonly scopes: readonly string[];
  readonly metadata: Readonly<Record<string, string>>;
  readonly state: StoredKeyState;
  readonly notBeforeMs: number | null;
  readonly expiresAtMs: number | null;
  readonly createdAtMs: number;
  readonly revokedAtMs: number | null;
  readonly revokeReason: string | null;
  readonly traits: KeyTraits;
  /** 1 at issue, one more at every change. */
  readonly revision: number;
  /** Ascending by number. */
  readonly versions: readonly KeyVersion[];
}

export type KeyFormat = 'opaque' | 'jwt';

export type OwnerKind = 'service' | 'integration' | 'user';

export interface OwnerRecord {
  readonly id: OwnerId;
  readonly workspaceId: WorkspaceId;
  readonly kind: OwnerKind;
  readonly externalId: string;
  readonly state: 'active' | 'suspended';
  /** Every version minted at or before this instant is refused as revoked; null when never used. */
  readonly keysNotBeforeMs: number | null;
  readonly createdAtMs: number;
  readonly revision: number;
}

export interface KeyspaceRecord extends KeyspaceRules {
  readonly id: KeyspaceId;
  readonly workspaceId: WorkspaceId;
  readonly name: string;
  readonly prefix: string;
  /** What a key of it is: a random string, or a token that anybody can verify by our public keys. */
  readonly format: KeyFormat;
  readonly allowedScopes: readonly string[];
  readonly defaultTtlSeconds: number | null;
  /** Null: keys of this keyspace may live for ever. */
  readonly maxTtlSeconds: number | null;
  readonly maxGraceSeconds: number;
  readonly leaseSeconds: number;
  /** Until when a verifier that has not heard of a lowered lease may still run on a longer one; null: never lowered. */
  readonly formerLeaseUntilMs: number | null;
  readonly state: 'active' | 'suspended';
  /** As for an owner: versions minted at or before it are refused. */
  readonly keysNotBeforeMs: number | null;
  readonly createdAtMs: number;
  readonly revision: number;
}
