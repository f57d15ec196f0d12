import { settleRotation, settlingWindowMs } from '@keyswarm/core';
import type { UseCasePorts } from '../access/use-case-ports.ts';
import { keysPerSweepMax } from '../limits.ts';
import type { RuledKeyspace } from '../storage/rotations-port.ts';
import { changeManyKeys } from './change-many-keys.ts';
import { noteRetired } from './rotate-key.ts';

export type SettlingPorts = Pick<
  UseCasePorts,
  'lanes' | 'clock' | 'evidence' | 'rotations' | 'rotationTimes' | 'shards'
>;

export interface SettledRotations {
  readonly finished: number;
  /** Keyspaces that were left out because a verifier that is not heard of may have accepted old versions. */
  readonly unproven: number;
}

/**
 * Ends the graces that have settled, where keyspaces have a rule for that: found by sets, changed by writes of many keys
 * each. May be run twice and at once, and be cut off at any point: what is done is not found again, and what is left
 * is found by the next run. `limit`: keys that are looked at in one shard of one keyspace.
 */
export async function finishSettledRotations(
  ports: SettlingPorts,
  limit = Number.POSITIVE_INFINITY,
  signal?: AbortSignal,
): Promise<SettledRotations> {
  await ports.evidence.flush();
  let finished = 0;
  let unproven = 0;
  for (const keyspace of await ports.rotations.ruled()) {
    signal?.throwIfAborted();
    const { settleSeconds } = keyspace;
    if (settleSeconds === null) continue;
    const unheard = await ports.evidence.unheardIn(keyspace.workspaceId, keyspace.id);
    const windowMs = settlingWindowMs({ settleMs: settleSeconds * 1000 });
    if (unheard !== null && unheard.mayHaveAcceptedUntilMs > ports.clock.nowMs() - windowMs) {
      unproven += 1;
      continue;
    }
    for (let shard = 0; shard < ports.shards; shard += 1) {
      signal?.throwIfAborted();
      finished += await finishOfShard(ports, { keyspace, settleSeconds, shard, limit });
    }
  }
  return { finished, unproven };
}

interface SettlingShard {
  readonly keyspace: RuledKeyspace;
  readonly settleSeconds: number;
  readonly shard: number;
  readonly limit: number;
}

async function finishOfShard(
  ports: SettlingPorts,
  { keyspace, settleSeconds, shard, limit }: SettlingShard,
): Promise<number> {
  const settleMs = settleSeconds * 1000;
  const { workspaceId, id: keyspaceId } = keyspace;
  let finished = 0;
  let looked = 0;
  let after = null;
  while (looked < limit) {
    const keys = await ports.rotations.settling({
      shard,
      keyspaceId,
      settleSeconds,
      silentSeconds: settlingWindowMs({ settleMs }) / 1000,
      after,
      limit: Math.min(keysPerSweepMax, limit - looked),
    });
    const ended = await changeManyKeys(ports, {
      shard,
      workspaceId,
      keyspaceId,
      keys,
      event: 'key.retired',
      by: 'rotations.settle',
      decide: (key, { uses }, { rotation }, nowMs) =>
        rotation.settleSeconds === null
          ? undefined
          : settleRotation(
              key,
              { uses, unheard: null, settleMs: Math.max(settleMs, rotation.settleSeconds * 1000) },
              nowMs,
            ),
      data: (key) => ({ version: key.versions.at(-2)?.number, forced: false, settled: true }),
    });
    for (const key of ended) noteRetired(ports, key, 'settled');
    finished += ended.length;
    looked += keys.length;
    after = keys.at(-1)?.id ?? null;
    if (keys.length < keysPerSweepMax) break;
  }
  return finished;
}
