import { randomBytes } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { mintKeyString } from '@keyswarm/core';
import { type ServerProcess, startServerProcess } from '../../acceptance/server-process.ts';
import { startPostgres } from '../../postgres/index.ts';
import { BenchError } from './bench-error.ts';

/* What is measured: a server that is started for it on a store of its own, or one that runs already. */

export const storeNames = ['embedded', 'postgres'] as const;
export type StoreName = (typeof storeNames)[number];

export interface Target {
  /** `embedded`, `postgres, 2 workers`, or the URL. */
  readonly name: string;
  readonly url: string;
  readonly managementKey: string;
  /** Of the server's processes, for their CPU; none of a server elsewhere. */
  readonly pids: readonly number[];
  /** Was it started for this, so that nothing has to be cleaned up? */
  readonly isOwn: boolean;
  stop(): Promise<void>;
}

export async function startTarget(store: StoreName, workers: number): Promise<Target> {
  const dataDir = await mkdtemp(join(tmpdir(), 'keyswarm-bench-'));
  const postgres = store === 'postgres' ? await startPostgres() : undefined;
  const managementKey = mintKeyString('keyswarm', randomBytes);
  const cleanUp = async (): Promise<void> => {
    await postgres?.stop();
    await rm(dataDir, { recursive: true, force: true });
  };
  try {
    const database =
      postgres === undefined
        ? {}
        : {
            databaseUrl: await postgres.createDatabase(),
            masterKey: randomBytes(32).toString('base64'),
          };
    const env = { KEYSWARM_WORKERS: String(workers), KEYSWARM_LOG_LEVEL: 'info' };
    const server = await startServerProcess({ dataDir, bootstrapKey: managementKey, ...database, env });
    return {
      name: workers === 1 ? store : `${store}, ${workers} workers`,
      url: server.url,
      managementKey,
      pids: pidsOf(server, workers),
      isOwn: true,
      async stop() {
        await server.stop();
        await cleanUp();
      },
    };
  } catch (error) {
    await cleanUp();
    throw error;
  }
}

export async function attachTarget(url: string, managementKey: string | undefined): Promise<Target> {
  if (managementKey === undefined || managementKey === '') {
    throw new BenchError('--url: a management key is needed to load a server: set KEYSWARM_KEY');
  }
  if (!/^[\x21-\x7e]+$/.test(managementKey)) throw new BenchError('KEYSWARM_KEY: not a key string');
  const parsed = URL.parse(url);
  if (parsed === null || parsed.protocol !== 'http:') {
    throw new BenchError(
      `--url: expected http://host:port of the server itself, got ${JSON.stringify(url)}; a proxy or TLS in between would be what is measured`,
    );
  }
  const target: Target = {
    name: parsed.origin,
    url: parsed.origin,
    managementKey,
    pids: [],
    isOwn: false,
    stop: async () => {},
  };
  await checkReady(target);
  return target;
}

/** Is there a server, is it ready? Said before anything is made there. */
async function checkReady({ url }: Target): Promise<void> {
  const ready = await fetch(`${url}/readyz`).catch(() => undefined);
  await ready?.arrayBuffer();
  if (ready === undefined) throw new BenchError(`nothing answers at ${url}: is the server up?`);
  if (ready.status !== 200) {
    throw new BenchError(
      `${url} is not ready (/readyz answers ${ready.status}): figures of it would mean nothing`,
    );
  }
}

function pidsOf(server: ServerProcess, workers: number): readonly number[] {
  if (workers === 1) return [server.pid];
  const starts = server.output().matchAll(/"worker":\d+,"pid":(\d+),"msg":"a worker starts"/g);
  const pids = [...starts].map(([, pid]) => Number(pid));
  if (pids.length !== workers) throw new Error(`${pids.length} of ${workers} workers were started`);
  return [server.pid, ...pids];
}
