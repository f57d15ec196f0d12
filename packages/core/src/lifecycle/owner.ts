import { Fault } from '../errors/fault.ts';
import type { OwnerId, WorkspaceId } from '../ids/ids.ts';
import { externalIdLengthMax } from '../limits/limits.ts';
import { checkText } from './check-fields.ts';
import type { OwnerKind, OwnerRecord } from './key-record.ts';

/*
 * Whoever holds keys. An owner's state and watermark are read beside the key's at every verification, so each
 * of these changes speaks for all its keys at once and costs one event.
 */

export const ownerKinds = ['service', 'integration', 'user'] as const satisfies readonly OwnerKind[];

export interface CreateOwner {
  /** Made of workspace, kind and external id, so that creating the same owner twice is creating it once. */
  readonly id: OwnerId;
  readonly workspaceId: WorkspaceId;
  readonly kind: OwnerKind;
  readonly externalId: string;
}

export function createOwner(wish: CreateOwner, nowMs: number): OwnerRecord {
  if (!ownerKinds.includes(wish.kind)) {
    throw new Fault('invalid_field', {
      detail: 'The kind of owner is not known.',
      field: '/owner/kind',
      expected: ownerKinds.join(', '),
    });
  }
  return {
    id: wish.id,
    workspaceId: wish.workspaceId,
    kind: wish.kind,
    externalId: checkText(wish.externalId, '/owner/external_id', {
      lengthMin: 1,
      lengthMax: externalIdLengthMax,
      controlCharacters: 'refused',
    }),
    state: 'active',
    keysNotBeforeMs: null,
    createdAtMs: nowMs,
    revision: 1,
  };
}

export function suspendOwner(owner: OwnerRecord, _nowMs: number): OwnerRecord {
  if (owner.state === 'suspended') {
    throw new Fault('already_suspended', { detail: 'The owner is already suspended.', field: 'id' });
  }
  return { ...owner, state: 'suspended', revision: owner.revision + 1 };
}

export function resumeOwner(owner: OwnerRecord, _nowMs: number): OwnerRecord {
  if (owner.state !== 'suspended') {
    throw new Fault('not_suspended', { detail: 'The owner is not suspended.', field: 'id' });
  }
  return { ...owner, state: 'active', revision: owner.revision + 1 };
}

/**
 * Revokes every version that the owner's keys have by now, in one change. The watermark always moves, by at
 * least a millisecond: versions minted since the last one are dated after that one even if the clock has gone
 * back, and this one must reach them.
 */
export function revokeOwnerKeys(owner: OwnerRecord, nowMs: number): OwnerRecord {
  const keysNotBeforeMs = Math.max(nowMs, (owner.keysNotBeforeMs ?? -1) + 1);
  return { ...owner, keysNotBeforeMs, revision: owner.revision + 1 };
}
