import { hash } from 'node:crypto';
import {
  type DocumentRecord,
  idFromUuidBytes,
  type JsonObject,
  type NoteId,
  parseId,
  type SigningAlgorithm,
  type SigningKeyId,
  shardOfId,
  uuidBytesOf,
  uuidV7,
  uuidV8FromHash,
  type WorkspaceId,
} from '@keyswarm/core';
import type { Random } from '../runtime/random.ts';

/*
 * Which signing key of a workspace and an algorithm is in use, and which one stands by: a note whose id follows from the
 * two, so that of two servers which make the first key at once one finds the other's. All of it, and every signing key
 * of the workspace, is of one shard (the workspace's), so that one key steps down in the transaction in which the next
 * steps up.
 */

export interface SigningSlot {
  readonly active: SigningKeyId | null;
  /** Published long before it is needed, so that a forced rotation has somewhere to go that everybody knows. */
  readonly standby: SigningKeyId | null;
}

export function signingSlotId(workspaceId: WorkspaceId, algorithm: SigningAlgorithm): NoteId {
  const name = `signing keys\0${workspaceId}\0${algorithm}`;
  const bytes = uuidV8FromHash(hash('sha256', name, 'buffer'));
  bytes[15] = lastByteOf(workspaceId);
  return idFromUuidBytes('note', bytes);
}

export function newSigningKeyId(workspaceId: WorkspaceId, nowMs: number, random: Random): SigningKeyId {
  return idFromUuidBytes('sk', uuidV7(nowMs, random.bytes(10), lastByteOf(workspaceId)));
}

export function shardOfSigningKeys(workspaceId: WorkspaceId, shards: number): number {
  return shardOfId(workspaceId, shards);
}

export function slotOf(document: DocumentRecord | undefined): SigningSlot {
  return { active: idIn(document?.body.active), standby: idIn(document?.body.standby) };
}

export function slotBody({ active, standby }: SigningSlot): JsonObject {
  return { active, standby };
}

function idIn(value: unknown): SigningKeyId | null {
  return typeof value === 'string' ? (parseId('sk', value) ?? null) : null;
}

function lastByteOf(workspaceId: WorkspaceId): number {
  return uuidBytesOf(workspaceId)[15] ?? 0;
}
