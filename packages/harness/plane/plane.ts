import { randomBytes } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { mintKeyString } from '@keyswarm/core';
import { freePort, type ServerProcess, startServerProcess } from '../acceptance/server-process.ts';
import { type NodeProcess, startNodeProcess } from '../bound/node-process.ts';
import { type Postgres, startPostgres } from '../postgres/index.ts';
import { ask, type Reply } from './ask.ts';
import { runKeyswarm } from './run-keyswarm.ts';

/*
 * The verification plane as its users meet it: a server on a real PostgreSQL and verify-only nodes, each a process of
 * its own, asked over plain HTTP. The suites of this folder are written from the contract (docs/reference, the
 * design and SPEC.md of the verifier) and know nothing of how it is built.
 */

export interface IssuedKey {
  readonly id: string;
  readonly secret: string;
  readonly seq: string;
}

export interface NodeWishes {
  readonly name: string;
  readonly relayUrl?: string;
  readonly credential?: string;
  readonly env?: Readonly<Record<string, string>>;
}

export interface ServerWishes {
  readonly port?: string;
  readonly env?: Readonly<Record<string, string>>;
}

export interface Plane {
  readonly postgres: Postgres;
  readonly server: ServerProcess;
  /** Of the bootstrap key: everything may be done with it. */
  readonly managementKey: string;
  readonly dataDir: string;
  /** A call to the server as the holder of everything; throws for any status but 200 and 201. */
  call(method: string, path: string, body?: unknown): Promise<Reply>;
  createKeyspace(name: string, more?: Readonly<Record<string, unknown>>): Promise<Reply>;
  issue(keyspace: string, more?: Readonly<Record<string, unknown>>): Promise<IssuedKey>;
  mintManagementKey(scopes: readonly string[]): Promise<IssuedKey>;
  startNode(wishes: NodeWishes): Promise<NodeProcess>;
  /** The same store under another process, on this port where one is named. */
  startServer(wishes?: ServerWishes): Promise<ServerProcess>;
  stop(): Promise<void>;
}

export interface PlaneWishes {
  readonly env?: Readonly<Record<string, string>>;
}

export async function startPlane(wishes: PlaneWishes = {}): Promise<Plane> {
  const dataDir = await mkdtemp(join(tmpdir(), 'keyswarm-plane-'));
  const postgres = await startPostgres({ own: true });
  const managementKey = mintKeyString('keyswarm', randomBytes);
  const databaseUrl = await postgres.createDatabase();
  const masterKey = randomBytes(32).toString('base64');
  const started: { stop(): Promise<unknown>; readonly pid: number }[] = [];
  const options = { dataDir, bootstrapKey: managementKey, databaseUrl, masterKey };
  const startServer = async ({ port, env = {} }: ServerWishes = {}): Promise<ServerProcess> => {
    const server =
      port === undefined
        ? await startServerProcess({ ...options, env: { ...wishes.env, ...env } })
        : await startServerAt(port, options);
    started.push(server);
    return server;
  };
  const server = await startServer();
  const call = (method: string, path: string, body?: unknown): Promise<Reply> =>
    callOrThrow(server.url, { method, path, body, as: managementKey });
  const issue = async (
    keyspace: string,
    more: Readonly<Record<string, unknown>> = {},
  ): Promise<IssuedKey> => {
    const owner = { kind: 'service', external_id: 'billing' };
    const { body } = await call('POST', '/v1/keys', { keyspace, owner, scopes: ['orders:read'], ...more });
    return { id: String(body.id), secret: String(body.secret), seq: String(body.seq) };
  };
  return {
    postgres,
    server,
    managementKey,
    dataDir,
    call,
    issue,
    startServer,
    createKeyspace: (name, more = {}) =>
      call('POST', '/v1/keyspaces', { name, prefix: 'orders', allowed_scopes: ['orders:*'], ...more }),
    mintManagementKey: (scopes) => issue('keyswarm', { scopes }),
    async startNode({ name, relayUrl = server.url, credential = managementKey, env = {} }) {
      const node = await startNodeProcess({ name, relayUrl, credential, managementKey, env });
      started.push(node);
      return node;
    },
    async stop() {
      for (const { pid } of started) signal(pid, 'SIGCONT');
      await Promise.all(started.toReversed().map((process) => endOf(process)));
      await postgres.stop('immediate');
      await rm(dataDir, { recursive: true, force: true });
    },
  };
}

/** Waits for what becomes true by itself, and says what it last saw when it does not. */
export async function until<T>(
  what: string,
  look: () => Promise<T | undefined | false> | T | undefined | false,
  withinMs = 20_000,
): Promise<T> {
  const deadlineMs = performance.now() + withinMs;
  for (;;) {
    const seen = await look();
    if (seen !== undefined && seen !== false) return seen;
    if (performance.now() > deadlineMs)
      throw new Error(`within ${withinMs} ms it never came to be that ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 15));
  }
}

/** Sends a signal to a process that may be gone already. */
export function signal(pid: number, name: NodeJS.Signals): void {
  try {
    process.kill(pid, name);
  } catch {
    // It has ended: then there is nothing to stop, and nothing to wake.
  }
}

export { freePort };

async function startServerAt(
  port: string,
  options: { dataDir: string; bootstrapKey: string; databaseUrl: string; masterKey: string },
): Promise<ServerProcess> {
  const running = runKeyswarm(['start', '--port', port, '--data-dir', options.dataDir], {
    KEYSWARM_BOOTSTRAP_KEY: options.bootstrapKey,
    KEYSWARM_DATABASE_URL: options.databaseUrl,
    KEYSWARM_MASTER_KEY: options.masterKey,
  });
  const url = `http://127.0.0.1:${port}`;
  await until(
    'the server is ready',
    () =>
      ask(`${url}/readyz`).then(
        ({ status }) => status === 200,
        () => false,
      ),
    60_000,
  );
  return {
    url,
    pid: running.pid,
    output: running.output,
    kill: async () => void (await running.end('SIGKILL')),
    stop: () => running.end(),
  };
}

async function callOrThrow(
  url: string,
  question: { readonly method: string; readonly path: string; readonly body: unknown; readonly as: string },
): Promise<Reply> {
  const reply = await ask(url + question.path, question);
  if (reply.status !== 200 && reply.status !== 201) {
    throw new Error(`${question.method} ${question.path}: ${reply.status} ${reply.text.slice(0, 500)}`);
  }
  return reply;
}

async function endOf(process: { stop(): Promise<unknown>; readonly pid: number }): Promise<void> {
  if (alive(process.pid)) await process.stop();
}

function alive(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
}
