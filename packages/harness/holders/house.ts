import { randomBytes } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { mintKeyString } from '@keyswarm/core';
import { type Api, apiOf, type Reply } from '../acceptance/api.ts';
import { type ServerProcess, startServerProcess } from '../acceptance/server-process.ts';
import { expectStatus } from '../acceptance/walk.ts';
import { startPostgres } from '../postgres/index.ts';

/* One PostgreSQL and a server with two workers on it, as a user starts them. */

export interface House {
  readonly server: ServerProcess;
  /** As the first manager. */
  readonly api: Api;
  stop(): Promise<void>;
}

export const keyspaceName = 'orders';

export async function startHouse(): Promise<House> {
  const dataDir = await mkdtemp(join(tmpdir(), 'keyswarm-holders-'));
  const postgres = await startPostgres({ own: true, settings: { synchronous_commit: 'on' } });
  const managementKey = mintKeyString('keyswarm', randomBytes);
  const server = await startServerProcess({
    dataDir,
    bootstrapKey: managementKey,
    databaseUrl: await postgres.createDatabase('holders'),
    masterKey: randomBytes(32).toString('base64'),
    env: { KEYSWARM_WORKERS: '2' },
  });
  const api = apiOf(server, managementKey);
  const made = await api.call('POST', '/v1/keyspaces', {
    name: keyspaceName,
    prefix: 'orders',
    allowed_scopes: ['orders:*'],
  });
  expectStatus(made.status, 201, made.body);
  return {
    server,
    api,
    async stop() {
      await server.stop();
      await postgres.stop('immediate');
      await rm(dataDir, { recursive: true, force: true });
    },
  };
}

/** Retries what the server says may be retried, as every client should. */
export async function untilTaken(ask: () => Promise<Reply>): Promise<Reply> {
  for (let tries = 0; ; tries += 1) {
    const reply = await ask();
    if ((reply.status !== 503 && reply.status !== 429) || tries >= retriesMax) return reply;
    await new Promise((resolve) => setTimeout(resolve, retryPauseMs * (1 + Math.random())));
  }
}

const retriesMax = 200;
const retryPauseMs = 150;
