import {
  type FeedPosition,
  isBuiltinKeyspace,
  type KeyId,
  type KeyRecord,
  type KeyspaceId,
  resumeKey,
  revokeKey,
  suspendKey,
} from '@keyswarm/core';
import type { Caller } from '../access/caller.ts';
import { effectiveByOfKeyspace } from '../access/effective-by.ts';
import { refuseEscalation } from '../access/grants.ts';
import type { UseCasePorts } from '../access/use-case-ports.ts';
import type { IdempotencyScope } from '../signing/idempotency.ts';
import { changeKey, findKey, type PlacedKey } from './change-key.ts';

/** A change that takes a right away, and the instant from which it holds everywhere. */
export interface EndedKey {
  readonly key: KeyRecord;
  readonly at: FeedPosition;
  readonly keyspaceId: KeyspaceId;
  readonly effectiveByMs: number;
}

/** Ends the key for good. */
export async function revokeOneKey(
  ports: UseCasePorts,
  caller: Caller,
  wish: { readonly id: KeyId; readonly reason?: string | undefined },
  idempotency: IdempotencyScope | undefined,
): Promise<EndedKey> {
  const found = await findKey(ports, caller, wish.id, 'keys:revoke');
  const { reply: key, at } = await changeKey<KeyRecord>(ports, caller, found, {
    event: 'key.revoked',
    idempotency,
    decide: ({ key, nowMs }) => revokeKey(key, { reason: wish.reason }, nowMs),
    data: (after) => ({ reason: after.revokeReason }),
    reply: (after) => after,
  });
  const { keyspaceId } = found.key;
  return { key, at, keyspaceId, effectiveByMs: await effectiveByOfKeyspace(ports, keyspaceId) };
}

/** Refuses the key until it is resumed. */
export async function suspendOneKey(
  ports: UseCasePorts,
  caller: Caller,
  id: KeyId,
  idempotency: IdempotencyScope | undefined,
): Promise<EndedKey> {
  const found = await findKey(ports, caller, id, 'keys:suspend');
  const { reply: key, at } = await changeKey<KeyRecord>(ports, caller, found, {
    event: 'key.suspended',
    idempotency,
    decide: ({ key, nowMs }) => suspendKey(key, nowMs),
    reply: (after) => after,
  });
  const { keyspaceId } = found.key;
  return { key, at, keyspaceId, effectiveByMs: await effectiveByOfKeyspace(ports, keyspaceId) };
}

/** Lets a suspended key work again. */
export async function resumeOneKey(
  ports: UseCasePorts,
  caller: Caller,
  id: KeyId,
  idempotency: IdempotencyScope | undefined,
): Promise<PlacedKey> {
  const found = await findKey(ports, caller, id, 'keys:suspend');
  const { reply: key, at } = await changeKey<KeyRecord>(ports, caller, found, {
    event: 'key.resumed',
    idempotency,
    decide({ key, keyspace, nowMs }) {
      if (isBuiltinKeyspace(keyspace)) refuseEscalation(caller, key.scopes);
      return resumeKey(key, nowMs);
    },
    reply: (after) => after,
  });
  return { key, at };
}
