import { execFileSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { mintKeyString } from '@keyswarm/core';
import { Client } from 'pg';
import { startServerProcess } from '../../acceptance/server-process.ts';
import { startPostgres } from '../../postgres/index.ts';
import { populate } from '../levels/population.ts';
import type { Target } from '../levels/target.ts';
import { startGenerator } from '../load/measure.ts';
import { postRequest } from '../load/raw-load.ts';
import { type Contest, type ContestResult, loadOf, runContest } from './contestants.ts';
import { PeerProcess } from './peer-process.ts';
import { startRedis } from './start-redis.ts';

/*
 * Keyswarm and others that do the same work, on one machine, in one run, in alternating rounds. What a peer does not do
 * (a management key of who asks, a lease, an event, an audit record) it is not asked to do; what it would need beside
 * (a web server in front of a library) it is not charged with. So the ratios err in favour of the peers.
 */

export interface PeersOptions {
  readonly rounds: number;
  readonly seconds: number;
  readonly say: (line: string) => void;
}

const peersFolder = new URL('../../../../bench-peers/', import.meta.url);
const keysCount = 2_000;
const connections = 32;
const writersAtOnce = 64;

export async function benchPeers({ rounds, seconds, say }: PeersOptions): Promise<readonly ContestResult[]> {
  say('installing the peers (npm ci in bench-peers)');
  execFileSync('npm', ['ci', '--no-audit', '--no-fund', '--ignore-scripts'], {
    cwd: fileURLToPath(peersFolder),
    stdio: ['ignore', 'ignore', 'inherit'],
  });
  const closing: (() => unknown)[] = [];
  try {
    const ground = await openGround(closing, say);
    const results: ContestResult[] = [];
    for (const contest of [inProcess(ground), ...issuance(ground), await overHttp(ground)]) {
      say(contest.title);
      results.push(await runContest(contest, { rounds, seconds }));
    }
    return results;
  } finally {
    for (const close of closing.reverse()) await close();
  }
}

type Ground = Awaited<ReturnType<typeof openGround>>;
interface Served {
  readonly port: number;
}

async function openGround(closing: (() => unknown)[], say: (line: string) => void) {
  const opened = async <T extends { stop(): unknown }>(thing: Promise<T>): Promise<T> => {
    const there = await thing;
    closing.push(() => there.stop());
    return there;
  };
  const postgres = await opened(startPostgres());
  const dataDir = await mkdtemp(join(tmpdir(), 'keyswarm-peers-'));
  closing.push(() => rm(dataDir, { recursive: true, force: true }));
  const generator = startGenerator();
  closing.push(() => generator.stop());
  const redis = await startRedis(say);
  if (redis !== undefined) closing.push(() => redis.stop());

  const managementKey = mintKeyString('keyswarm', randomBytes);
  const server = await opened(
    startServerProcess({
      dataDir,
      bootstrapKey: managementKey,
      databaseUrl: await postgres.createDatabase(),
      masterKey: randomBytes(32).toString('base64'),
    }),
  );
  const target: Target = {
    name: 'postgres',
    url: server.url,
    managementKey,
    pids: [],
    isOwn: true,
    stop: async () => {},
  };
  say('making keys');
  const { keyspace, good } = await populate(target, keysCount);
  const secrets = good.map(({ secret }) => secret);
  const records = secrets.map((key, at) => recordOf(key, at, keyspace));

  const ours = await opened(PeerProcess.start<object>(new URL('./ours-in-process.ts', import.meta.url)));
  const databaseUrl = await postgres.createDatabase();
  const libraries = await opened(PeerProcess.start<object>(peer('in-process.mjs'), { databaseUrl }));
  const lookup = (store: 'redis' | 'postgres', url: string) =>
    opened(PeerProcess.start<Served>(peer('http-lookup.mjs'), { store, url, records }));
  const sql = await lookup('postgres', await postgres.createDatabase());
  const cache = redis === undefined ? undefined : await lookup('redis', redis.url);
  const oidc = await opened(
    PeerProcess.start<
      Served & { readonly tokens: readonly string[]; readonly authorization: string; readonly path: string }
    >(peer('oidc.mjs'), { tokensCount: keysCount }),
  );
  return {
    versions: {
      ...versionsOf(),
      postgres: await postgresVersion(postgres.url),
      redisServer: redis?.version ?? '',
    },
    load: generator.run,
    port: Number(new URL(server.url).port),
    managementKey,
    keyspace,
    secrets,
    ours,
    libraries,
    sql,
    cache,
    oidc,
  };
}

function inProcess({ ours, libraries, versions }: Ground): Contest {
  const betterAuth = `better-auth ${versions['better-auth']}, @better-auth/api-key ${versions['@better-auth/api-key']}`;
  const library = (run: string, what: string, concurrency = 1) => ({
    name: run,
    what,
    run: (seconds: number) => libraries.measure({ run, seconds, concurrency }),
  });
  const keyswarm = {
    name: 'keyswarm verify',
    what: 'resident table of 10,000 versions',
    run: (seconds: number) => ours.measure({ seconds }),
  };
  return {
    title: 'Verification inside a service',
    unit: 'verifications/s',
    about:
      'One process, its own keys in turn, one scope (permission) demanded. `postgres` has 16 verifications under way at once. The JSON web tokens are EdDSA, checked for issuer, audience, type and expiry, and can not be revoked before it.',
    contestants: [
      keyswarm,
      library('better-auth verify, memory', `${betterAuth}, memory adapter`),
      library('better-auth verify, postgres', `${betterAuth}, PostgreSQL ${versions.postgres}`, 16),
      library('jose jwtVerify, EdDSA', `jose ${versions.jose}`),
      library('fast-jwt verify, EdDSA', `fast-jwt ${versions['fast-jwt']}, no cache`),
    ],
    goals: { 'better-auth verify, memory': 500, 'better-auth verify, postgres': 500 },
  };
}

function issuance({ load, port, managementKey, keyspace, libraries, versions }: Ground): readonly Contest[] {
  const headers = { authorization: `Bearer ${managementKey}` };
  const asked = (owner: number) => ({
    keyspace,
    owner: { kind: 'service', external_id: `peers-${owner}` },
    name: 'bench',
    scopes: ['orders:read'],
    ttl_seconds: 86_400,
  });
  const single = Array.from({ length: 100 }, (_, owner) => postRequest('/v1/keys', asked(owner), headers));
  const bulkKeys = 1_000;
  const keys = Array.from({ length: bulkKeys }, (_, at) => asked(at % 100));
  const bulk = loadOf(
    load,
    { port, requests: [postRequest('/v1/keys/bulk', { keys }, headers)], connections: 4 },
    '200',
  );
  const run = 'better-auth create, postgres';
  const theirs = {
    name: run,
    what: `better-auth ${versions['better-auth']}, @better-auth/api-key ${versions['@better-auth/api-key']}`,
    run: (seconds: number) => libraries.measure({ run, seconds, concurrency: writersAtOnce }),
  };
  const about = `Both on the same PostgreSQL ${versions.postgres}. Keyswarm is asked over HTTP, and writes an event and an audit record with each key; better-auth is called in its process, ${writersAtOnce} at once.`;
  return [
    {
      title: 'Durable issuance, one key a call',
      unit: 'keys/s',
      about,
      contestants: [
        {
          name: 'keyswarm issue',
          what: `POST /v1/keys, ${writersAtOnce} at once`,
          run: loadOf(load, { port, requests: single, connections: writersAtOnce }, '201'),
        },
        theirs,
      ],
      goals: { [run]: 20 },
    },
    {
      title: 'Durable issuance of many',
      unit: 'keys/s',
      about: `${about} It has no call for many keys.`,
      contestants: [
        {
          name: 'keyswarm issue in bulk',
          what: `POST /v1/keys/bulk, ${bulkKeys} keys a call, 4 at once`,
          run: async (seconds) => (await bulk(seconds)) * bulkKeys,
        },
        theirs,
      ],
      goals: { [run]: 20 },
    },
  ];
}

async function overHttp(ground: Ground): Promise<Contest> {
  const { load, port, managementKey, keyspace, secrets, sql, cache, oidc, versions } = ground;
  const bodies = secrets.map((key) => ({ key, keyspace, scopes: ['orders:read'] }));
  const headers = { authorization: `Bearer ${managementKey}` };
  const served = (
    name: string,
    what: string,
    at: { readonly port: number; readonly requests: readonly Buffer[] },
  ) => ({
    name,
    what,
    run: loadOf(load, { ...at, connections }, '200'),
  });
  const { tokens, authorization, path } = oidc.ready;
  const introspect = tokens.map((token) => formRequest(path, `token=${token}`, { authorization }));
  const plain = bodies.map((body) => postRequest('/', body));
  const json = { 'content-type': 'application/json' };
  const first = JSON.stringify(bodies[0]);
  await expectGood(
    port,
    '/v1/keys/verify',
    { headers: { ...json, ...headers }, body: first },
    '"valid":true',
  );
  const form = { 'content-type': 'application/x-www-form-urlencoded', authorization };
  await expectGood(oidc.ready.port, path, { headers: form, body: `token=${tokens[0]}` }, '"active":true');
  for (const one of [sql, ...(cache === undefined ? [] : [cache])]) {
    await expectGood(one.ready.port, '/', { headers: json, body: first }, '"valid":true');
  }
  return {
    title: 'Verification over HTTP',
    unit: 'requests/s',
    about: `${connections} connections, a closed loop, the same generator for all. Keyswarm verifies the management key of who asks as well; the two lookups behind \`node:http\` ask for none. oidc-provider keeps its tokens in a Map in its process.`,
    contestants: [
      served('keyswarm verify', 'POST /v1/keys/verify', {
        port,
        requests: bodies.map((body) => postRequest('/v1/keys/verify', body, headers)),
      }),
      served('oidc-provider introspection', `oidc-provider ${versions['oidc-provider']}, opaque tokens`, {
        port: oidc.ready.port,
        requests: introspect,
      }),
      ...(cache === undefined
        ? []
        : [
            served(
              'Redis GET behind node:http',
              `Redis ${versions.redisServer}, redis ${versions.redis} for Node`,
              { port: cache.ready.port, requests: plain },
            ),
          ]),
      served('PostgreSQL behind node:http', `PostgreSQL ${versions.postgres}, pg ${versions.pg}, prepared`, {
        port: sql.ready.port,
        requests: plain,
      }),
    ],
    goals: { 'oidc-provider introspection': 5, 'Redis GET behind node:http': 1 },
  };
}

/** A server that refuses is faster than one that works: whether each does its work is asked before it is timed. */
async function expectGood(
  port: number,
  path: string,
  asked: { readonly headers: Readonly<Record<string, string>>; readonly body: string },
  wanted: string,
): Promise<void> {
  const response = await fetch(`http://127.0.0.1:${port}${path}`, { method: 'POST', ...asked });
  const text = await response.text();
  if (!text.includes(wanted))
    throw new Error(`${path} of a peer answers ${response.status} ${text.slice(0, 200)}`);
}

function peer(script: string): URL {
  return new URL(script, peersFolder);
}

function recordOf(key: string, at: number, keyspace: string) {
  const expiresAtMs = Date.now() + 86_400_000;
  return {
    key,
    id: `key-${at}`,
    owner: `service:${at % 7}`,
    keyspace,
    scopes: ['orders:read'],
    expiresAtMs,
    revoked: false,
  };
}

function formRequest(path: string, body: string, headers: Readonly<Record<string, string>>): Buffer {
  const lines = Object.entries({
    host: '127.0.0.1',
    'content-type': 'application/x-www-form-urlencoded',
    'content-length': String(Buffer.byteLength(body)),
    ...headers,
  }).map(([name, value]) => `${name}: ${value}\r\n`);
  return Buffer.from(`POST ${path} HTTP/1.1\r\n${lines.join('')}\r\n${body}`);
}

const measured = [
  'better-auth',
  '@better-auth/api-key',
  'fast-jwt',
  'jose',
  'oidc-provider',
  'pg',
  'redis',
] as const;

function versionsOf(): Readonly<Record<(typeof measured)[number], string>> {
  const { dependencies }: { dependencies: Record<(typeof measured)[number], string> } = JSON.parse(
    readFileSync(new URL('package.json', peersFolder), 'utf8'),
  );
  return dependencies;
}

async function postgresVersion(url: string): Promise<string> {
  const client = new Client({ connectionString: url });
  await client.connect();
  try {
    const { rows } = await client.query<{ server_version: string }>('show server_version');
    return rows[0]?.server_version ?? '';
  } finally {
    await client.end();
  }
}
