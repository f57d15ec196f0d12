import { randomBytes } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { mintKeyString } from '@keyswarm/core';
import { type Api, apiOf, type IssuedKey, inParallel, issuedOf, resultsOf } from '../acceptance/api.ts';
import { type ServerProcess, startServerProcess } from '../acceptance/server-process.ts';
import { expectStatus } from '../acceptance/walk.ts';
import { startTcpProxy, type TcpProxy } from '../faults/index.ts';
import { type Postgres, startPostgres } from '../postgres/index.ts';
import { type NodeProcess, startNodeProcess } from './node-process.ts';

/*
 * One authority on a real PostgreSQL and verify-only nodes, every one a process of its own, each node behind a link
 * that can be cut. Two keyspaces: one with the default lease, one whose lease is two seconds.
 */

export const defaultKeyspace = { name: 'orders', prefix: 'orders', leaseSeconds: 30 };
export const strictKeyspace = { name: 'strict', prefix: 'strict', leaseSeconds: 2 };

export interface ClusterOptions {
  readonly nodes: number;
  /** For the server and every node. */
  readonly env?: Readonly<Record<string, string>>;
  /** For one node, by its number from 0. */
  readonly nodeEnv?: (node: number) => Readonly<Record<string, string>>;
}

export interface Cluster {
  readonly postgres: Postgres;
  readonly server: ServerProcess;
  readonly api: Api;
  readonly nodes: NodeProcess[];
  readonly links: readonly TcpProxy[];
  /** Starts the nodes, all at once or one after another. */
  startNodes(): Promise<void>;
  restartNode(node: number): Promise<NodeProcess>;
  stop(): Promise<void>;
}

export async function startCluster(options: ClusterOptions): Promise<Cluster> {
  const dataDir = await mkdtemp(join(tmpdir(), 'keyswarm-bound-'));
  const postgres = await startPostgres({ own: true, settings: { synchronous_commit: 'on' } });
  const managementKey = mintKeyString('keyswarm', randomBytes);
  const server = await startServerProcess({
    dataDir,
    bootstrapKey: managementKey,
    databaseUrl: await postgres.createDatabase('bound'),
    masterKey: randomBytes(32).toString('base64'),
    ...(options.env === undefined ? {} : { env: options.env }),
  });
  const api = apiOf(server, managementKey);
  for (const keyspace of [defaultKeyspace, strictKeyspace]) await createKeyspace(api, keyspace);
  const port = Number(new URL(server.url).port);
  const links = await Promise.all(Array.from({ length: options.nodes }, () => startTcpProxy({ port })));
  const nodes: NodeProcess[] = [];
  const startNode = (node: number): Promise<NodeProcess> =>
    startNodeProcess({
      name: `node-${node + 1}`,
      relayUrl: links[node]?.url ?? '',
      credential: managementKey,
      managementKey,
      env: { ...options.env, ...options.nodeEnv?.(node) },
      readyWithinMs: 120_000,
    });
  return {
    postgres,
    server,
    api,
    nodes,
    links,
    async startNodes() {
      for (let node = 0; node < options.nodes; node += 1) nodes[node] = await startNode(node);
    },
    async restartNode(node) {
      await nodes[node]?.stop();
      const started = await startNode(node);
      nodes[node] = started;
      return started;
    },
    async stop() {
      for (const link of links) link.heal();
      await Promise.all(nodes.map((node) => node.stop()));
      await server.stop();
      await Promise.all(links.map((link) => link.close()));
      await postgres.stop('immediate');
      await rm(dataDir, { recursive: true, force: true });
    },
  };
}

async function createKeyspace(
  api: Api,
  { name, prefix, leaseSeconds }: typeof defaultKeyspace,
): Promise<void> {
  const reply = await api.call('POST', '/v1/keyspaces', {
    name,
    prefix,
    format: 'opaque',
    allowed_scopes: ['orders:*'],
    lease_seconds: leaseSeconds,
  });
  expectStatus(reply.status, 201, reply.body);
}

/** Issues so many keys in bulk; keeps what was issued of the first `keep`. */
export async function populate(
  api: Api,
  keyspace: string,
  { count, keep }: { readonly count: number; readonly keep: number },
): Promise<readonly IssuedKey[]> {
  const perCall = 1000;
  const kept: IssuedKey[] = [];
  const chunks = Array.from({ length: Math.ceil(count / perCall) }, (_, at) => at * perCall);
  await inParallel(chunks, 6, async (from) => {
    const keys = Array.from({ length: Math.min(perCall, count - from) }, (_, at) => ({
      keyspace,
      owner: { kind: 'service', external_id: `service-${(from + at) % 5000}` },
      name: `key ${from + at}`,
      scopes: ['orders:read'],
      ttl_seconds: 86_400,
    }));
    const results = resultsOf(await callUntilTaken(api, keys));
    if (kept.length < keep) for (const result of results) kept.push(issuedOf(result));
  });
  return kept.slice(0, keep);
}

async function callUntilTaken(api: Api, keys: readonly unknown[]) {
  for (;;) {
    const reply = await api.call('POST', '/v1/keys/bulk', { keys });
    if (reply.status !== 503 && reply.status !== 429) return reply;
    await new Promise((resolve) => setTimeout(resolve, 200));
  }
}
