import { hash } from 'node:crypto';
import {
  type ApprovalId,
  idFromUuidBytes,
  type KeyId,
  type KeyspaceId,
  type NoteId,
  uuidBytesOf,
  uuidV7,
  uuidV8FromHash,
} from '@keyswarm/core';
import type { UseCasePorts } from '../access/use-case-ports.ts';

/*
 * Where approvals stand: all of a keyspace in the shard of that keyspace. There one transaction sees the request, the
 * count of those that wait and the key that is collected, so the bound is exact and a key is collected once. A keyspace
 * whose keys wait for people needs no more than one lane.
 */

export function newApprovalId(ports: UseCasePorts, keyspaceId: KeyspaceId): ApprovalId {
  return idFromUuidBytes('appr', newUuid(ports, keyspaceId));
}

/** Of a key that is collected: in the shard of its request. */
export function shardByteOf(id: KeyspaceId | ApprovalId | KeyId): number {
  return uuidBytesOf(id).at(-1) ?? 0;
}

/** The note that counts a keyspace's open requests: made of its id, so that nobody has to look for it. */
export function openCountIdOf(keyspaceId: KeyspaceId): NoteId {
  const bytes = uuidV8FromHash(hash('sha256', `approvals open\0${keyspaceId}`, 'buffer'));
  bytes[15] = shardByteOf(keyspaceId);
  return idFromUuidBytes('note', bytes);
}

function newUuid({ clock, random }: UseCasePorts, keyspaceId: KeyspaceId): Uint8Array {
  return uuidV7(clock.nowMs(), random.bytes(10), shardByteOf(keyspaceId));
}
