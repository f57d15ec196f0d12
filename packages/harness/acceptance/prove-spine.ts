import { randomBytes } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { mintKeyString } from '@keyswarm/core';
import { startPostgres } from '../postgres/index.ts';
import { apiOf } from './api.ts';
import { type CrashEvidence, crash } from './crash.ts';
import { type ServerProcessOptions, startServerProcess } from './server-process.ts';
import { type Evidence, type WalkSizes, walk } from './walk.ts';

export interface ProofOptions extends WalkSizes {
  readonly store: 'embedded' | 'postgres';
  readonly cycles: number;
  readonly writers: number;
  readonly random: () => number;
  readonly report: (evidence: Evidence) => void;
}

export interface Proof {
  readonly crash: CrashEvidence;
  /** Secrets found in what the server processes printed: must be none. */
  readonly leaked: number;
  readonly exitCode: number | null;
}

/**
 * The spine's promises on a real server process over a real store: first the walk, then SIGKILL in the middle
 * of write bursts, then a drain. Throws at the first promise that does not hold.
 */
export async function proveSpine(options: ProofOptions): Promise<Proof> {
  const dataDir = await mkdtemp(join(tmpdir(), 'keyswarm-proof-'));
  const postgres = options.store === 'postgres' ? await startPostgres() : undefined;
  try {
    const processOptions: ServerProcessOptions = {
      dataDir,
      bootstrapKey: mintKeyString('keyswarm', randomBytes),
      ...(postgres === undefined
        ? {}
        : {
            databaseUrl: await postgres.createDatabase('proof'),
            masterKey: randomBytes(32).toString('base64'),
          }),
    };
    await walkOnce(processOptions, options);
    const { evidence, server } = await crash(processOptions, {
      cycles: options.cycles,
      writers: options.writers,
      burstMsMin: 300,
      burstMsMax: 1500,
      random: options.random,
    });
    const exitCode = await server.stop();
    return {
      crash: evidence,
      leaked: countKeyStrings(server.output(), processOptions.bootstrapKey),
      exitCode,
    };
  } finally {
    await postgres?.stop();
    await rm(dataDir, { recursive: true, force: true });
  }
}

async function walkOnce(processOptions: ServerProcessOptions, options: ProofOptions): Promise<void> {
  const server = await startServerProcess(processOptions);
  try {
    await walk(apiOf(server, processOptions.bootstrapKey), options, options.report);
    if (countKeyStrings(server.output(), processOptions.bootstrapKey) > 0)
      throw new Error('a secret was printed');
  } finally {
    await server.stop();
  }
}

/** Key strings of the walk, the burst or the bootstrap in what a process printed. */
function countKeyStrings(output: string, bootstrapKey: string): number {
  const found = output.match(/\b(?:walk|crash)_[0-9A-Za-z]{34}\b/g) ?? [];
  return found.length + (output.includes(bootstrapKey) ? 1 : 0);
}
