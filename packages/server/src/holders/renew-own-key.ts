import {
  assert,
  type FeedPosition,
  handOut,
  isBuiltinKeyspace,
  type KeyRecord,
  renewKey,
  type Secret,
  type SuccessorUse,
} from '@keyswarm/core';
import type { Holder } from '../access/holder.ts';
import type { UseCasePorts } from '../access/use-case-ports.ts';
import { requireOpaque } from '../keys/mint-token.ts';
import { mintVersion, secretOf } from '../keys/mint-version.ts';
import type { IdempotencyScope } from '../signing/idempotency.ts';
import { changeOwnKey, newestNumberOf, onlyValid } from './change-own-key.ts';

export interface RenewedKey {
  readonly key: KeyRecord;
  readonly secret: Secret;
  /** The version by which the renewal was asked for: at a replay, not that of whoever asks again. */
  readonly previousNumber: number;
  readonly at: FeedPosition;
}

/** The next version, at its holder's wish; the secret is in what is returned and nowhere else. */
export async function renewOwnKey(
  ports: UseCasePorts,
  holder: Holder,
  idempotency: IdempotencyScope | undefined,
): Promise<RenewedKey> {
  const keyspace = await ports.keyspaces.find(holder.workspaceId, holder.keyspaceId);
  assert(keyspace !== undefined, 'the keyspace of a key exists');
  requireOpaque(keyspace, 'Authorization');
  const minted = mintVersion(ports, keyspace.prefix);
  const secret = secretOf(minted);
  const { version: number } = holder;
  const successor = await successorUse(ports, holder);
  const { reply, at } = await changeOwnKey<Omit<RenewedKey, 'at'>>(ports, holder, {
    event: 'key.rotated',
    idempotency,
    mints: true,
    admits: onlyValid,
    decide({ key, keyspace: policy, owner, nowMs }) {
      const wish = {
        fingerprint: minted.fingerprint,
        proof: minted.proofFor({ keyspace: policy, keyId: key.id, number: nextNumber(key, number), key }),
        number,
        successor,
        ownerKeysNotBeforeMs: owner.keysNotBeforeMs,
      };
      const after = renewKey(key, policy, wish, nowMs);
      // Who was handed the secret that asks has the new one as well.
      return isBuiltinKeyspace(policy) ? { ...after, traits: handOut(key, after, key.id, nowMs) } : after;
    },
    data(after) {
      const retiresAtMs = after.versions.find((each) => each.number === number)?.retiresAtMs ?? null;
      return {
        version: newestNumberOf(after),
        previous_version: number,
        previous_retires_at: retiresAtMs === null ? null : new Date(retiresAtMs).toISOString(),
      };
    },
    reply: (key) => ({ key, secret, previousNumber: number }),
  });
  return { ...reply, at };
}

/** By the newest version the next one is made; by one before it, that one is made again. */
function nextNumber(key: KeyRecord, askedBy: number): number {
  const newest = newestNumberOf(key);
  return askedBy === newest ? newest + 1 : newest;
}

/**
 * Whether the version that was made in place of the one in grace is in use anywhere. Asked before the write waits for
 * its batch: what is told meanwhile is as late as any use of the last seconds, for which the core waits.
 */
async function successorUse(ports: UseCasePorts, holder: Holder): Promise<SuccessorUse | undefined> {
  // The newest version is its own proof; of the others only one in grace is let in.
  if (holder.verdict?.rotation === null) return undefined;
  const { workspaceId, keyspaceId, keyId: id, version } = holder;
  const { uses, unheard } = await ports.evidence.of({ workspaceId, keyspaceId, id });
  const used = uses.some(({ number }) => number > version);
  return { used, unheardUntilMs: unheard?.mayHaveAcceptedUntilMs ?? null };
}
