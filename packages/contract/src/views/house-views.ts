import {
  algorithms,
  assert,
  type KeyId,
  type KeyspaceRecord,
  type OwnerRecord,
  type Secret,
  type WorkspaceId,
} from '@keyswarm/core';
import type {
  KeyspaceKeysRevoked,
  KeyspaceReply,
  KeyspaceResumed,
  KeyspaceSuspended,
} from '../schemas/keyspaces.ts';
import type { OwnerKeysRevoked, OwnerReply, OwnerResumed, OwnerSuspended } from '../schemas/owners.ts';
import type { WorkspaceCreated } from '../schemas/service.ts';
import type { Unplaced } from './placed-view.ts';
import { nullableTimeText, timeText } from './time.ts';

/* From the record of a workspace, a keyspace or an owner to the wire. */

export function createdWorkspaceView(
  workspace: { readonly id: WorkspaceId; readonly name: string },
  managementKey: { readonly id: KeyId; readonly secret: Secret },
): Unplaced<WorkspaceCreated> {
  return {
    id: workspace.id,
    name: workspace.name,
    management_key: { id: managementKey.id, secret: managementKey.secret.reveal() },
  };
}

export function keyspaceView(keyspace: KeyspaceRecord): KeyspaceReply {
  return {
    id: keyspace.id,
    name: keyspace.name,
    prefix: keyspace.prefix,
    format: keyspace.format,
    allowed_scopes: keyspace.allowedScopes,
    default_ttl_seconds: keyspace.defaultTtlSeconds,
    max_ttl_seconds: keyspace.maxTtlSeconds,
    max_grace_seconds: keyspace.maxGraceSeconds,
    lease_seconds: keyspace.leaseSeconds,
    proof: keyspace.proof,
    rotation: {
      rotate_after_seconds: keyspace.rotation.rotateAfterSeconds,
      settle_seconds: keyspace.rotation.settleSeconds,
      in_use_window_seconds: keyspace.rotation.inUseWindowSeconds,
    },
    approval: { scopes: keyspace.approval.scopes },
    token: {
      algorithm: algorithms[keyspace.token.algorithm].jose as 'EdDSA' | 'ES256',
      derived_ttl_seconds: keyspace.token.derivedTtlSeconds,
    },
    state: keyspace.state,
    keys_not_before: nullableTimeText(keyspace.keysNotBeforeMs),
    created_at: timeText(keyspace.createdAtMs),
    revision: keyspace.revision,
  };
}

export function suspendedKeyspaceView(
  keyspace: KeyspaceRecord,
  effectiveByMs: number,
): Unplaced<KeyspaceSuspended> {
  assert(keyspace.state === 'suspended', 'a suspended keyspace is suspended');
  return { id: keyspace.id, state: 'suspended', effective_by: timeText(effectiveByMs) };
}

export function resumedKeyspaceView(keyspace: KeyspaceRecord): Unplaced<KeyspaceResumed> {
  assert(keyspace.state === 'active', 'a resumed keyspace is active');
  return { id: keyspace.id, state: 'active' };
}

export function revokedKeyspaceKeysView(
  keyspace: KeyspaceRecord,
  effectiveByMs: number,
): Unplaced<KeyspaceKeysRevoked> {
  assert(keyspace.keysNotBeforeMs !== null, 'a keyspace whose keys were revoked says when');
  return {
    id: keyspace.id,
    keys_not_before: timeText(keyspace.keysNotBeforeMs),
    effective_by: timeText(effectiveByMs),
  };
}

export function ownerView(owner: OwnerRecord): OwnerReply {
  return {
    id: owner.id,
    kind: owner.kind,
    external_id: owner.externalId,
    state: owner.state,
    keys_not_before: nullableTimeText(owner.keysNotBeforeMs),
    created_at: timeText(owner.createdAtMs),
    revision: owner.revision,
  };
}

export function suspendedOwnerView(owner: OwnerRecord, effectiveByMs: number): Unplaced<OwnerSuspended> {
  assert(owner.state === 'suspended', 'a suspended owner is suspended');
  return { id: owner.id, state: 'suspended', effective_by: timeText(effectiveByMs) };
}

export function resumedOwnerView(owner: OwnerRecord): Unplaced<OwnerResumed> {
  assert(owner.state === 'active', 'a resumed owner is active');
  return { id: owner.id, state: 'active' };
}

export function revokedOwnerKeysView(owner: OwnerRecord, effectiveByMs: number): Unplaced<OwnerKeysRevoked> {
  assert(owner.keysNotBeforeMs !== null, 'an owner whose keys were revoked says when');
  return {
    id: owner.id,
    keys_not_before: timeText(owner.keysNotBeforeMs),
    effective_by: timeText(effectiveByMs),
  };
}
