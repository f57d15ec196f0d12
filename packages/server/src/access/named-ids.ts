import { hash } from 'node:crypto';
import {
  builtinKeyspaceName,
  idFromUuidBytes,
  type KeyspaceId,
  type OwnerId,
  type OwnerKind,
  uuidV7,
  uuidV8FromHash,
  type WorkspaceId,
} from '@keyswarm/core';
import type { Random } from '../runtime/random.ts';

/*
 * Ids that follow from names. An id that is a hash of its name needs no look-up in another shard, and two
 * processes that make the same thing at the same moment make the same row, of which the store takes one.
 */

/** The workspace that a new store begins with, and the only one from which others can be made. */
export const defaultWorkspaceName = 'default';

export function workspaceIdOf(name: string): WorkspaceId {
  return idFromUuidBytes('ws', uuidV8FromHash(sha256(`workspace\0${name}`)));
}

export const defaultWorkspaceId = workspaceIdOf(defaultWorkspaceName);

export function ownerIdOf(workspaceId: WorkspaceId, kind: OwnerKind, externalId: string): OwnerId {
  return idFromUuidBytes('own', uuidV8FromHash(sha256(`owner\0${workspaceId}\0${kind}\0${externalId}`)));
}

/** The built-in keyspace of a workspace has a fixed id, so that of two first starts one finds the other's. */
export function builtinKeyspaceId(workspaceId: WorkspaceId): KeyspaceId {
  const bytes = uuidV8FromHash(sha256(`keyspace\0${workspaceId}\0${builtinKeyspaceName}`));
  bytes[15] = keyspaceShardByte(workspaceId, builtinKeyspaceName);
  return idFromUuidBytes('ks', bytes);
}

/** Random, but for its shard: two keyspaces of one name meet in one shard, where the name is unique. */
export function newKeyspaceId(
  workspaceId: WorkspaceId,
  name: string,
  ports: { readonly nowMs: number; readonly random: Random },
): KeyspaceId {
  const lastByte = keyspaceShardByte(workspaceId, name);
  return idFromUuidBytes('ks', uuidV7(ports.nowMs, ports.random.bytes(10), lastByte));
}

function keyspaceShardByte(workspaceId: WorkspaceId, name: string): number {
  return sha256(`${workspaceId}\0${name}`)[0] ?? 0;
}

function sha256(text: string): Uint8Array {
  return hash('sha256', text, 'buffer');
}
