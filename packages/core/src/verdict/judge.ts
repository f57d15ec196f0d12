import type { StoredKeyState, VersionState } from '../lifecycle/key-record.ts';
import type { VerdictCode } from './verdict.ts';

/**
 * What a verifier knows of a version it has found, in primitives. It is a scratch: one is made, filled again for
 * every verification and judged, so that the hot path allocates nothing. "No limit" is ±Infinity, never null.
 */
export interface Standing {
  keyspaceMatches: boolean;
  keyState: StoredKeyState;
  versionState: VersionState;
  /** +Infinity: no end of its own. */
  versionRetiresAtMs: number;
  mintedAtMs: number;
  /** +Infinity: never. */
  expiresAtMs: number;
  /** -Infinity: always. */
  notBeforeMs: number;
  ownerSuspended: boolean;
  /** -Infinity: never used. */
  ownerKeysNotBeforeMs: number;
  keyspaceSuspended: boolean;
  /** -Infinity: never used. */
  keyspaceKeysNotBeforeMs: number;
  scopesCovered: boolean;
  /** The keyspace wants the request to be signed, and what was presented is a bare bearer. */
  lacksSignature: boolean;
  /** What it hangs on, if anything, is refused so. */
  parentRefusal: ParentRefusal;
  /** It can be exchanged and nothing else. */
  isEnrollment: boolean;
}

export type ParentRefusal = 'none' | 'suspended' | 'revoked';

/** A scratch that is refused until it has been filled. */
export function newStanding(): Standing {
  return {
    keyspaceMatches: false,
    keyState: 'revoked',
    versionState: 'retired',
    versionRetiresAtMs: Number.NEGATIVE_INFINITY,
    mintedAtMs: Number.NEGATIVE_INFINITY,
    expiresAtMs: Number.NEGATIVE_INFINITY,
    notBeforeMs: Number.POSITIVE_INFINITY,
    ownerSuspended: true,
    ownerKeysNotBeforeMs: Number.POSITIVE_INFINITY,
    keyspaceSuspended: true,
    keyspaceKeysNotBeforeMs: Number.POSITIVE_INFINITY,
    scopesCovered: false,
    lacksSignature: true,
    parentRefusal: 'revoked',
    isEnrollment: true,
  };
}

/**
 * The verdict on a version that was found (`malformed` and `unknown` come before). The first reason wins, in
 * this order: what is final before what may pass, and what the key is before what the caller wants of it.
 *
 * `earliestMs` and `latestMs` bound what the authority's clock may show now. An expiry counts as passed at the
 * latest, a beginning as come only at the earliest, so that no clock error can lengthen a key's life.
 *
 * Every comparison asks for the proof that lets the key pass, and refuses without it: a NaN refuses. The worse
 * error is a key that passes by a comparison that meant nothing.
 */
export function judge(standing: Standing, earliestMs: number, latestMs: number): VerdictCode {
  if (!standing.keyspaceMatches) return 'wrong_keyspace';
  if (standing.keyState === 'revoked' || standing.parentRefusal === 'revoked') return 'revoked';
  if (!(standing.mintedAtMs > standing.ownerKeysNotBeforeMs)) return 'revoked';
  if (!(standing.mintedAtMs > standing.keyspaceKeysNotBeforeMs)) return 'revoked';
  if (!(latestMs < standing.expiresAtMs)) return 'expired';
  if (standing.versionState !== 'active') {
    if (standing.versionState !== 'grace') return 'expired';
    if (!(latestMs < standing.versionRetiresAtMs)) return 'expired';
  }
  if (standing.keyState !== 'active' || standing.ownerSuspended || standing.keyspaceSuspended)
    return 'suspended';
  if (standing.parentRefusal !== 'none') return 'suspended';
  if (!(earliestMs >= standing.notBeforeMs)) return 'not_yet_valid';
  if (standing.lacksSignature) return 'signature_required';
  if (standing.isEnrollment || !standing.scopesCovered) return 'insufficient_scope';
  return 'valid';
}
