import { randomBytes } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { mintKeyString } from '@keyswarm/core';
import { type CrashEvidence, crash } from './crash.ts';

/*
 * One node with its embedded store, killed in the middle of write bursts, over and over; some of its restarts are killed as
 * well. Throws at the first acknowledged effect that is not there, and at the first thing that nobody was promised.
 *
 * In slices, each with a store of its own: what is looked at grows with what was written, and a store of a thousand
 * bursts would be measured instead of killed.
 */

export interface CrashProofOptions {
  readonly cycles: number;
  readonly sliceCycles: number;
  readonly writers: number;
  readonly random: () => number;
  /** After each slice: all so far. */
  readonly report: (evidence: CrashEvidence) => void;
}

const fullCheckEvery = 10;
const killedStarts = 0.05;
const burstMs = { burstMsMin: 20, burstMsMax: 400 };

export async function proveCrash(options: CrashProofOptions): Promise<CrashEvidence> {
  let total: CrashEvidence = { kills: 0, killedStarts: 0, acked: 0, keys: 0, inFlight: 0, recoveryMs: [] };
  while (total.kills < options.cycles) {
    const cycles = Math.min(options.sliceCycles, options.cycles - total.kills);
    total = sum(total, await slice(cycles, options));
    options.report(total);
  }
  return total;
}

async function slice(cycles: number, { writers, random }: CrashProofOptions): Promise<CrashEvidence> {
  const dataDir = await mkdtemp(join(tmpdir(), 'keyswarm-crash-'));
  try {
    const { evidence, server } = await crash(
      { dataDir, bootstrapKey: mintKeyString('keyswarm', randomBytes) },
      { cycles, writers, random, fullCheckEvery, killedStarts, ...burstMs },
    );
    await server.stop();
    return evidence;
  } finally {
    await rm(dataDir, { recursive: true, force: true });
  }
}

function sum(one: CrashEvidence, other: CrashEvidence): CrashEvidence {
  return {
    kills: one.kills + other.kills,
    killedStarts: one.killedStarts + other.killedStarts,
    acked: one.acked + other.acked,
    keys: one.keys + other.keys,
    inFlight: one.inFlight + other.inFlight,
    recoveryMs: [...one.recoveryMs, ...other.recoveryMs],
  };
}
