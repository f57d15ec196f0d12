import { type KeyId, requestRenewal } from '@keyswarm/core';
import type { UseCasePorts } from '../access/use-case-ports.ts';
import { keysPerSweepMax, keysPerWalkMax } from '../limits.ts';
import type { KeyPlace, RuledKeyspace } from '../storage/rotations-port.ts';
import { changeManyKeys } from './change-many-keys.ts';

export type RenewalPorts = Pick<UseCasePorts, 'lanes' | 'random' | 'rotations' | 'shards'>;

export interface RequestedRenewals {
  readonly looked: number;
  readonly asked: number;
}

/**
 * Asks the holders of keys whose secret is older than their keyspace's rule allows to renew, each from an instant of
 * its own on, so that they don't come at once. Goes through the keys by sets; may be run twice and at once, and be cut
 * off at any point: who was asked is not asked again, and who was not is found by the next run.
 */
export async function requestDueRenewals(
  ports: RenewalPorts,
  limit = Number.POSITIVE_INFINITY,
  signal?: AbortSignal,
): Promise<RequestedRenewals> {
  let looked = 0;
  let asked = 0;
  for (const keyspace of await ports.rotations.ruled()) {
    const { rotateAfterSeconds } = keyspace;
    if (rotateAfterSeconds === null) continue;
    for (let shard = 0; shard < ports.shards; shard += 1) {
      let after: KeyId | null = null;
      do {
        signal?.throwIfAborted();
        if (asked >= limit) return { looked, asked };
        const page = await ports.rotations.aging({
          shard,
          keyspaceId: keyspace.id,
          rotateAfterSeconds,
          after,
          limit: keysPerWalkMax,
        });
        asked += await askAll(ports, { keyspace, shard, keys: page.due.slice(0, limit - asked) });
        looked += page.looked;
        after = page.last;
      } while (after !== null);
    }
  }
  return { looked, asked };
}

async function askAll(
  ports: RenewalPorts,
  due: { readonly keyspace: RuledKeyspace; readonly shard: number; readonly keys: readonly KeyPlace[] },
): Promise<number> {
  const { keyspace, shard, keys } = due;
  const { workspaceId, id: keyspaceId } = keyspace;
  let asked = 0;
  for (let from = 0; from < keys.length; from += keysPerSweepMax) {
    // Drawn before the write, which may decide more than once.
    const part = keys
      .slice(from, from + keysPerSweepMax)
      .map((place) => ({ ...place, spread: unitInterval(ports.random) }));
    const changed = await changeManyKeys(ports, {
      shard,
      workspaceId,
      keyspaceId,
      keys: part,
      event: 'key.renew_requested',
      by: 'rotations.renewals',
      decide: (key, { spread }, { rotation: { rotateAfterSeconds } }, nowMs) =>
        rotateAfterSeconds === null
          ? undefined
          : requestRenewal(key, { rotateAfterMs: rotateAfterSeconds * 1000, spread }, nowMs),
      data: ({ traits, versions }) => ({
        version: versions.at(-1)?.number,
        renew_after: traits.renewAfterMs === undefined ? null : new Date(traits.renewAfterMs).toISOString(),
      }),
    });
    asked += changed.length;
  }
  return asked;
}

/** 0 ≤ x < 1. */
function unitInterval(random: RenewalPorts['random']): number {
  const [high = 0, middle = 0, low = 0] = random.bytes(3);
  return (high * 65_536 + middle * 256 + low) / 16_777_216;
}
