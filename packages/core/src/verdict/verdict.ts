import type { KeyId, KeyspaceId, OwnerId, WorkspaceId } from '../ids/ids.ts';
import type { OwnerKind } from '../lifecycle/key-record.ts';

/** Every reason for which a verifier refuses a key. Stable: clients switch on them. */
export const refusalCodes = [
  'malformed',
  'unknown',
  'not_yet_valid',
  'expired',
  'revoked',
  'suspended',
  'insufficient_scope',
  'wrong_keyspace',
  'signature_required',
  'signature_invalid',
  'replayed',
  'rate_limited',
] as const;

export type RefusalCode = (typeof refusalCodes)[number];
export type VerdictCode = 'valid' | RefusalCode;

/** Told to the holder of a version that is about to stop working. */
export interface RotationHint {
  readonly state: 'grace';
  readonly retiresAtMs: number;
}

export interface ValidVerdict {
  readonly valid: true;
  readonly code: 'valid';
  readonly keyId: KeyId;
  readonly version: number;
  readonly owner: { readonly id: OwnerId; readonly kind: OwnerKind; readonly externalId: string };
  readonly workspaceId: WorkspaceId;
  readonly keyspaceId: KeyspaceId;
  /** The keyspace's name. */
  readonly keyspace: string;
  readonly scopes: readonly string[];
  /** When this version stops working: the key's expiry, or the end of its grace if that is sooner. */
  readonly expiresAtMs: number | null;
  readonly rotation: RotationHint | null;
  /** From when on its holder is asked to renew it; null: nobody asked. */
  readonly renewAfterMs: number | null;
}

export interface RefusedVerdict {
  readonly valid: false;
  readonly code: RefusalCode;
  /** What is wrong with a signed request, for whoever signed it: nothing about the key. */
  readonly detail?: string;
}

/**
 * Not a verdict: the verifier can't prove that what it knows is fresh enough to say VALID. On the wire it is
 * `503 stale` with Retry-After, never 200 and never 401.
 */
export interface StaleAnswer {
  readonly valid: null;
  readonly code: 'stale';
}

export type Verdict = ValidVerdict | RefusedVerdict;
export type Answer = Verdict | StaleAnswer;
