import { type KeyspaceId, settleRotation, settlingWindowMs, type WorkspaceId } from '@keyswarm/core';
import type { UseCasePorts } from '../access/use-case-ports.ts';
import { keysPerSweepMax, keysPerWalkMax } from '../limits.ts';
import type { GracePlace, SettlingKey, SettlingRule } from '../storage/rotations-port.ts';
import { changeManyKeys } from './change-many-keys.ts';
import { noteRetired } from './rotate-key.ts';

export type SettlingPorts = Pick<
  UseCasePorts,
  'lanes' | 'evidence' | 'rotations' | 'rotationTimes' | 'shards'
>;

export interface SettledRotations {
  readonly finished: number;
  /** Keyspaces that were left out because a verifier that is not heard of may have accepted old versions. */
  readonly unproven: number;
}

/**
 * Ends the graces that have settled, where keyspaces have a rule for that: found by sets, changed by writes of many keys
 * each. May be run twice and at once, and be cut off at any point: what is done is not found again, and what is left
 * is found by the next run. `limit`: rotations that are ended at the most, to a page.
 */
export async function finishSettledRotations(
  ports: SettlingPorts,
  limit = Number.POSITIVE_INFINITY,
  signal?: AbortSignal,
): Promise<SettledRotations> {
  const { rules, workspaces, unproven } = await provenRules(ports);
  let finished = 0;
  for (let shard = 0; shard < ports.shards && rules.length > 0; shard += 1) {
    let after: GracePlace | null = null;
    do {
      signal?.throwIfAborted();
      if (finished >= limit) return { finished, unproven };
      const page = await ports.rotations.settling({ shard, rules, after, limit: keysPerWalkMax });
      for (const rule of rules) {
        const keys = page.keys.filter(({ keyspaceId }) => keyspaceId === rule.keyspaceId);
        const workspaceId = workspaces.get(rule.keyspaceId);
        if (workspaceId !== undefined) finished += await finishAll(ports, { shard, rule, workspaceId, keys });
      }
      after = page.last;
    } while (after !== null);
  }
  return { finished, unproven };
}

/** Those of keyspaces of which it is known what all verifiers have accepted for as long as the rule asks for. */
async function provenRules(ports: SettlingPorts) {
  await ports.evidence.flush();
  const rules: SettlingRule[] = [];
  const workspaces = new Map<KeyspaceId, WorkspaceId>();
  let unproven = 0;
  for (const { id, workspaceId, settleSeconds } of await ports.rotations.ruled()) {
    if (settleSeconds === null) continue;
    const windowMs = settlingWindowMs({ settleMs: settleSeconds * 1000 });
    const unheard = await ports.evidence.unheardIn(workspaceId, id);
    if (unheard !== null && unheard.mayHaveAcceptedUntilMs > unheard.asOfMs - windowMs) {
      unproven += 1;
      continue;
    }
    rules.push({ keyspaceId: id, settleSeconds, silentSeconds: windowMs / 1000 });
    workspaces.set(id, workspaceId);
  }
  return { rules, workspaces, unproven };
}

interface SettledOfKeyspace {
  readonly shard: number;
  readonly rule: SettlingRule;
  readonly workspaceId: WorkspaceId;
  readonly keys: readonly SettlingKey[];
}

async function finishAll(
  ports: SettlingPorts,
  { shard, rule, workspaceId, keys }: SettledOfKeyspace,
): Promise<number> {
  let finished = 0;
  for (let from = 0; from < keys.length; from += keysPerSweepMax) {
    const ended = await changeManyKeys(ports, {
      shard,
      workspaceId,
      keyspaceId: rule.keyspaceId,
      keys: keys.slice(from, from + keysPerSweepMax),
      event: 'key.retired',
      by: 'rotations.settle',
      decide(key, { uses }, { rotation }, nowMs) {
        if (rotation.settleSeconds === null) return undefined;
        const settleMs = Math.max(rule.settleSeconds, rotation.settleSeconds) * 1000;
        return settleRotation(key, { uses, unheard: null, settleMs }, nowMs);
      },
      data: (key) => ({ version: key.versions.at(-2)?.number, forced: false, settled: true }),
    });
    for (const key of ended) noteRetired(ports, key, 'settled');
    finished += ended.length;
  }
  return finished;
}
