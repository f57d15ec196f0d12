import { idFromUuidBytes } from '../ids/id-codec.ts';
import { uuidV7 } from '../ids/uuid.ts';
import { type IssueKey, issueKey } from './issue-key.ts';
import type { KeyRecord, KeyspaceRecord, OwnerRecord } from './key-record.ts';
import { createKeyspace } from './keyspace.ts';
import { createOwner } from './owner.ts';
import { type RotateKey, rotateKey } from './rotate-key.ts';

/* The same few records for every test of the lifecycle, frozen to the bottom: a decider that writes into what it was given fails. */

export const t0 = 1_700_000_000_000;
const uuid = (mark: number): Uint8Array => uuidV7(t0, new Uint8Array(10).fill(mark));

export const workspaceId = idFromUuidBytes('ws', uuid(1));
export const keyId = idFromUuidBytes('key', uuid(2));
export const ownerId = idFromUuidBytes('own', uuid(3));
export const keyspaceId = idFromUuidBytes('ks', uuid(4));

export function fingerprintOf(mark: number): Uint8Array {
  const bytes = new Uint8Array(32);
  new DataView(bytes.buffer).setUint32(0, mark);
  return bytes;
}

export function keyspaceWith(change: Partial<KeyspaceRecord> = {}): KeyspaceRecord {
  const keyspace = createKeyspace(
    {
      id: keyspaceId,
      workspaceId,
      name: 'orders-live',
      prefix: 'orders_live',
      allowedScopes: ['orders:*', 'billing:read'],
    },
    t0,
  );
  return deepFreeze({ ...keyspace, ...change });
}

export function ownerWith(change: Partial<OwnerRecord> = {}): OwnerRecord {
  const owner = createOwner({ id: ownerId, workspaceId, kind: 'service', externalId: 'billing' }, t0);
  return deepFreeze({ ...owner, ...change });
}

export function issueWish(change: Partial<IssueKey> = {}): IssueKey {
  return deepFreeze({
    id: keyId,
    workspaceId,
    keyspace: keyspaceWith(),
    ownerId,
    name: 'billing prod',
    scopes: ['orders:read'],
    metadata: { team: 'payments' },
    fingerprint: fingerprintOf(1),
    nowMs: t0,
    ...change,
  });
}

export function issued(change: Partial<IssueKey> = {}): KeyRecord {
  return deepFreeze(issueKey(issueWish(change)));
}

/** The key after a rotation to its next version, with a fingerprint of its own. */
export function rotated(key: KeyRecord, nowMs: number, wish: Partial<RotateKey> = {}): KeyRecord {
  const fingerprint = fingerprintOf((key.versions.at(-1)?.number ?? 0) + 1);
  return deepFreeze(rotateKey(key, keyspaceWith(), { fingerprint, ...wish }, nowMs));
}

export function deepFreeze<Value>(value: Value): Value {
  if (typeof value !== 'object' || value === null || Object.isFrozen(value)) return value;
  // The elements of a typed array can't be frozen.
  if (ArrayBuffer.isView(value)) return value;
  for (const member of Object.values(value)) deepFreeze(member);
  return Object.freeze(value);
}
