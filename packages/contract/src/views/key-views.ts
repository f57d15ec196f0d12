import {
  algorithms,
  assert,
  type KeyRecord,
  type KeyVersion,
  keyStateAt,
  type Secret,
  versionStateAt,
} from '@keyswarm/core';
import type { KeyImported } from '../schemas/import.ts';
import type {
  KeyIssued,
  KeyReply,
  KeyResumed,
  KeyRevoked,
  KeyRotated,
  KeySuspended,
  RotationFinished,
} from '../schemas/keys.ts';
import type { ProofReply } from '../schemas/proof.ts';
import { enrollmentView } from './enrollment-view.ts';
import type { Unplaced } from './placed-view.ts';
import { nullableTimeText, timeText } from './time.ts';

/*
 * From a record to the wire. Only here is a key's JSON put together, so that a field is named, formatted and
 * left out in one place. A `Secret` is opened here and nowhere else on the way out.
 */

/** `suspended`: ids of owners and keyspaces that are. */
export function keyView(key: KeyRecord, nowMs: number, suspended: ReadonlySet<string>): KeyReply {
  const state = keyStateAt(key, nowMs);
  return {
    id: key.id,
    name: key.name,
    state,
    ...(state === 'active' || state === 'pending' ? refusedView(key, suspended) : {}),
    keyspace_id: key.keyspaceId,
    owner_id: key.ownerId,
    scopes: key.scopes,
    metadata: key.metadata,
    not_before: nullableTimeText(key.notBeforeMs),
    expires_at: nullableTimeText(key.expiresAtMs),
    created_at: timeText(key.createdAtMs),
    revoked_at: nullableTimeText(key.revokedAtMs),
    revoke_reason: key.revokeReason,
    revision: key.revision,
    versions: key.versions.map((version) => ({
      version: version.number,
      state: versionStateAt(version, nowMs),
      minted_at: timeText(version.mintedAtMs),
      retires_at: nullableTimeText(version.retiresAtMs),
      ...proofView(key, version.number),
    })),
    ...traitsView(key),
  };
}

function refusedView(key: KeyRecord, suspended: ReadonlySet<string>): Pick<KeyReply, 'refused_because'> {
  if (suspended.has(key.keyspaceId)) return { refused_because: 'keyspace_suspended' };
  return suspended.has(key.ownerId) ? { refused_because: 'owner_suspended' } : {};
}

/** What few keys have, left out where it isn't there. */
function traitsView(key: KeyRecord): Partial<KeyReply> {
  const { renewAfterMs, parentId, enrolledBy, enrollment } = key.traits;
  return {
    ...(renewAfterMs === undefined ? {} : { renew_after: timeText(renewAfterMs) }),
    ...(parentId === undefined ? {} : { parent_id: parentId }),
    ...(enrolledBy === undefined ? {} : { enrolled_with: enrolledBy }),
    ...(enrollment === undefined ? {} : { enrollment: enrollmentView(key) }),
  };
}

export function importedKeyView(key: KeyRecord): Unplaced<KeyImported> {
  return {
    id: key.id,
    version: newestOf(key).number,
    owner_id: key.ownerId,
    keyspace_id: key.keyspaceId,
    scopes: key.scopes,
    expires_at: nullableTimeText(key.expiresAtMs),
    created_at: timeText(key.createdAtMs),
  };
}

/** Without a secret where the key has a public key. */
export function issuedKeyView(key: KeyRecord, secret: Secret | undefined): Unplaced<KeyIssued> {
  return { ...importedKeyView(key), ...secretView(secret) };
}

/** `effectiveByMs`: when every verifier has learnt of it; the old version may have longer than that. */
export function rotatedKeyView(
  key: KeyRecord,
  secret: Secret | undefined,
  effectiveByMs: number,
): Unplaced<KeyRotated> {
  const previous = previousOf(key);
  return {
    id: key.id,
    version: newestOf(key).number,
    ...secretView(secret),
    previous: {
      version: previous.number,
      retires_at: timeText(previous.retiresAtMs),
      effective_by: timeText(Math.max(previous.retiresAtMs, effectiveByMs)),
    },
    expires_at: nullableTimeText(key.expiresAtMs),
  };
}

export function finishedRotationView(key: KeyRecord, effectiveByMs: number): Unplaced<RotationFinished> {
  const retired = previousOf(key);
  return {
    id: key.id,
    version: newestOf(key).number,
    retired: { version: retired.number, retired_at: timeText(retired.retiresAtMs) },
    effective_by: timeText(effectiveByMs),
  };
}

export function revokedKeyView(key: KeyRecord, effectiveByMs: number): Unplaced<KeyRevoked> {
  assert(key.state === 'revoked' && key.revokedAtMs !== null, 'a revoked key says when');
  return {
    id: key.id,
    state: 'revoked',
    revoked_at: timeText(key.revokedAtMs),
    effective_by: timeText(effectiveByMs),
  };
}

export function suspendedKeyView(key: KeyRecord, effectiveByMs: number): Unplaced<KeySuspended> {
  assert(key.state === 'suspended', 'a suspended key is suspended');
  return { id: key.id, state: 'suspended', effective_by: timeText(effectiveByMs) };
}

export function resumedKeyView(key: KeyRecord, nowMs: number): Unplaced<KeyResumed> {
  return { id: key.id, state: keyStateAt(key, nowMs) };
}

function secretView(secret: Secret | undefined): { readonly secret?: string } {
  return secret === undefined ? {} : { secret: secret.reveal() };
}

/** A public key is for everybody; of a sealed secret there is nothing to show. */
function proofView(key: KeyRecord, number: number): { readonly proof?: ProofReply } {
  const proof = key.traits.proofs?.find(({ version }) => version === number);
  if (proof === undefined) return {};
  const { algorithm, material } = proof;
  const isPublic = algorithms[algorithm].kind === 'signature';
  return { proof: { type: algorithm, ...(isPublic ? { public_key: material } : {}) } };
}

function newestOf(key: KeyRecord): KeyVersion {
  const newest = key.versions.at(-1);
  assert(newest !== undefined, 'a key has a version');
  return newest;
}

function previousOf(key: KeyRecord): KeyVersion & { readonly retiresAtMs: number } {
  const previous = key.versions.at(-2);
  assert(previous !== undefined, 'a rotated key has a version before the newest');
  const { retiresAtMs } = previous;
  assert(retiresAtMs !== null, 'a version that was rotated away has an end');
  return { ...previous, retiresAtMs };
}
