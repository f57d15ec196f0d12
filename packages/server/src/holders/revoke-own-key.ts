import { type KeyRecord, revokeKey, type VerdictCode } from '@keyswarm/core';
import { effectiveByOfKeyspace } from '../access/effective-by.ts';
import type { Holder } from '../access/holder.ts';
import type { UseCasePorts } from '../access/use-case-ports.ts';
import type { EndedKey } from '../keys/end-key.ts';
import type { IdempotencyScope } from '../signing/idempotency.ts';
import { changeOwnKey } from './change-own-key.ts';

/** Whoever has a key may end it, in any state from which it might come back; a retired version is nobody's any more. */
const revocable: ReadonlySet<VerdictCode> = new Set([
  'valid',
  'suspended',
  'not_yet_valid',
  'insufficient_scope',
]);

/** Ends the key with all its versions, for good, at its holder's wish. */
export async function revokeOwnKey(
  ports: UseCasePorts,
  holder: Holder,
  wish: { readonly reason?: string | undefined },
  idempotency: IdempotencyScope | undefined,
): Promise<EndedKey> {
  const { keyspaceId } = holder;
  const { reply: key, at } = await changeOwnKey<KeyRecord>(ports, holder, {
    event: 'key.revoked',
    idempotency,
    admits: revocable,
    decide: ({ key, nowMs }) => revokeKey(key, { reason: wish.reason }, nowMs),
    data: (after) => ({ reason: after.revokeReason }),
    reply: (after) => after,
  });
  return { key, at, keyspaceId, effectiveByMs: await effectiveByOfKeyspace(ports, keyspaceId) };
}
