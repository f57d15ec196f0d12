import { randomBytes } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { mintKeyString, parseId, uuidHexOf } from '@keyswarm/core';
import { Client } from 'pg';
import { type Api, apiOf, issuedOf, resultsOf } from '../../acceptance/api.ts';
import { type ServerProcess, startServerProcess } from '../../acceptance/server-process.ts';
import { expectStatus } from '../../acceptance/walk.ts';
import { startPostgres } from '../../postgres/index.ts';
import { startGenerator } from '../load/measure.ts';
import { postRequest } from '../load/raw-load.ts';
import { benchHttpVerify, type HttpVerifyResult } from './http-verify.ts';
import { benchIssuance, type IssuanceOptions, type IssuanceResult } from './issuance.ts';

/* The parts of the bench that need a server in a process of its own, on a real PostgreSQL. */

export interface ServedOptions {
  readonly rounds: number;
  readonly seconds: number;
}

export interface ServedResult {
  readonly httpVerify: HttpVerifyResult;
  readonly bulkVerifyPerSecond: number;
  readonly single: IssuanceResult;
  readonly bulk: IssuanceResult;
}

const verifyKeys = 2000;
const verifyConnections = 32;
const bulkSize = 1000;

export async function benchServed(options: ServedOptions): Promise<ServedResult> {
  const postgres = await startPostgres();
  const dataDir = await mkdtemp(join(tmpdir(), 'keyswarm-bench-'));
  const generator = startGenerator();
  const running: ServerProcess[] = [];
  try {
    const managementKey = mintKeyString('keyswarm', randomBytes);
    const start = async (databaseUrl: string): Promise<ServerProcess> => {
      const masterKey = randomBytes(32).toString('base64');
      return startServerProcess({ dataDir, bootstrapKey: managementKey, databaseUrl, masterKey });
    };
    const peerUrl = await postgres.createDatabase('peer');
    await (await start(peerUrl)).stop(); // lays the schema, then leaves it to the peers
    const serverUrl = await postgres.createDatabase('ours');
    const server = await start(serverUrl);
    running.push(server);
    const api = apiOf(server, managementKey);
    const secrets = await issueForVerify(api);
    const port = Number(new URL(server.url).port);
    const common = { generator, managementKey, rounds: options.rounds };
    const verify = { ...common, server: { port, pid: server.pid }, keyspace: 'bench-verify', secrets };
    const httpVerify = await benchHttpVerify({
      ...verify,
      seconds: options.seconds,
      connections: verifyConnections,
    });
    const bulkVerifyPerSecond = await bulkVerify(verify, options.seconds);
    const issuance: IssuanceOptions = {
      ...common,
      serverPort: port,
      serverUrl,
      peerUrl,
      clearPeer: () => clear(peerUrl),
      keyspaceOf: (round) => newKeyspace(api, `bench-${round}`),
      seconds: options.seconds,
    };
    const single = await benchIssuance(issuance, { concurrency: 64, keysPerRequest: 1 });
    const bulk = await benchIssuance(issuance, { concurrency: 4, keysPerRequest: bulkSize });
    return { httpVerify, bulkVerifyPerSecond, single, bulk };
  } finally {
    generator.stop();
    for (const server of running) await server.stop();
    await postgres.stop();
    await rm(dataDir, { recursive: true, force: true });
  }
}

async function newKeyspace(api: Api, name: string): Promise<{ name: string; uuid: string; id: string }> {
  const body = { name, prefix: 'bench', format: 'opaque', allowed_scopes: ['orders:*'] };
  const reply = await api.call('POST', '/v1/keyspaces', body);
  expectStatus(reply.status, 201, reply.body);
  const id = parseId('ks', String(reply.body.id));
  if (id === undefined) throw new Error(`not a keyspace id: ${String(reply.body.id)}`);
  return { name, uuid: uuidHexOf(id), id };
}

async function issueForVerify(api: Api): Promise<readonly string[]> {
  await newKeyspace(api, 'bench-verify');
  const secrets: string[] = [];
  for (let from = 0; from < verifyKeys; from += bulkSize) {
    const keys = Array.from({ length: bulkSize }, (_, index) => ({
      keyspace: 'bench-verify',
      owner: { kind: 'service', external_id: `bench-${index % 100}` },
      name: `verify ${from + index}`,
      scopes: ['orders:read'],
      ttl_seconds: 86_400,
    }));
    const reply = await api.call('POST', '/v1/keys/bulk', { keys });
    for (const result of resultsOf(reply)) secrets.push(issuedOf(result).secret);
  }
  return secrets;
}

async function bulkVerify(
  options: {
    readonly generator: ReturnType<typeof startGenerator>;
    readonly server: { readonly port: number };
    readonly managementKey: string;
    readonly secrets: readonly string[];
  },
  seconds: number,
): Promise<number> {
  const keys = options.secrets
    .slice(0, bulkSize)
    .map((key) => ({ key, keyspace: 'bench-verify', scopes: ['orders:read'] }));
  const authorization = `Bearer ${options.managementKey}`;
  const result = await options.generator.run({
    port: options.server.port,
    requests: [postRequest('/v1/keys/verify/bulk', { keys }, { authorization })],
    connections: 4,
    seconds,
    warmupSeconds: 1,
  });
  return (result.counted * bulkSize) / result.seconds;
}

async function clear(url: string): Promise<void> {
  const client = new Client({ connectionString: url });
  await client.connect();
  await client.query('truncate keys, key_versions, feed, audit');
  await client.end();
}
