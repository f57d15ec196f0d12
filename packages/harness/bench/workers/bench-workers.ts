import { fork } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { mintKeyString } from '@keyswarm/core';
import { apiOf, issuedOf, resultsOf } from '../../acceptance/api.ts';
import { type ServerProcess, startServerProcess } from '../../acceptance/server-process.ts';
import { expectStatus } from '../../acceptance/walk.ts';
import { startPostgres } from '../../postgres/index.ts';
import { cpuSecondsOf, type Generator, startGenerator } from '../load/measure.ts';
import { postRequest } from '../load/raw-load.ts';
import { median } from '../spine/median.ts';
import type { OpenLoadOptions, OpenLoadResult } from './open-load.ts';

/*
 * One worker and several, on one PostgreSQL with the same keys, in alternating rounds. Under an open load, the same
 * for both, it says what a verification costs in CPU over all processes of the server, the supervisor included: on a
 * machine whose cores are shared with the generator and the database that is the figure which carries over. Under a
 * closed load it says what came out, which on such a machine is a matter of who got the cores.
 */

export interface WorkersOptions {
  readonly workers: number;
  readonly rounds: number;
  readonly seconds: number;
  readonly ratePerSecond: number;
  readonly connections: number;
}

export interface Round {
  /** Under the open load. */
  readonly cpuMicrosPerRequest: number;
  /** Under the closed load, where every wake finds more than one request. */
  readonly busyCpuMicrosPerRequest: number;
  /** CPU in a second without a request: what a process costs for being there. */
  readonly restCpuMicros: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
  readonly perSecond: number;
  /** Of the worker that had the fewest requests, its part of an even share. */
  readonly leastShare: number;
}

export interface WorkersResult {
  readonly one: Round;
  readonly several: Round;
  /** Median over the rounds of one / several, by CPU a request: above 1, several cost less. */
  readonly cpuRatio: number;
  /** Median over the rounds of several / one, by requests a second. */
  readonly throughputRatio: number;
}

interface Contestant {
  readonly port: number;
  readonly workerPids: readonly number[];
  /** All of the server's processes. */
  readonly pids: readonly number[];
}

const keyCount = 2000;
const keysPerRequest = 1000;

export async function benchWorkers(options: WorkersOptions): Promise<WorkersResult> {
  const postgres = await startPostgres();
  const dataDir = await mkdtemp(join(tmpdir(), 'keyswarm-bench-'));
  const generator = startGenerator();
  const servers: ServerProcess[] = [];
  try {
    const bootstrapKey = mintKeyString('keyswarm', randomBytes);
    const masterKey = randomBytes(32).toString('base64');
    const databaseUrl = await postgres.createDatabase();
    const start = async (workers: number): Promise<Contestant> => {
      const env = { KEYSWARM_WORKERS: String(workers) };
      const server = await startServerProcess({ dataDir, bootstrapKey, databaseUrl, masterKey, env });
      servers.push(server);
      return contestantOf(server, workers);
    };
    const one = await start(1);
    const several = await start(options.workers);
    const [server] = servers;
    if (server === undefined) throw new Error('no server was started');
    const requests = await verifyRequests(server, bootstrapKey);
    const rounds: { readonly one: Round; readonly several: Round }[] = [];
    for (let round = 0; round < options.rounds; round += 1) {
      rounds.push({
        one: await measure(one, { ...options, requests, generator }),
        several: await measure(several, { ...options, requests, generator }),
      });
    }
    return {
      one: medianRound(rounds.map((round) => round.one)),
      several: medianRound(rounds.map((round) => round.several)),
      cpuRatio: median(rounds.map((each) => each.one.cpuMicrosPerRequest / each.several.cpuMicrosPerRequest)),
      throughputRatio: median(rounds.map((each) => each.several.perSecond / each.one.perSecond)),
    };
  } finally {
    generator.stop();
    for (const server of servers) await server.stop();
    await postgres.stop();
    await rm(dataDir, { recursive: true, force: true });
  }
}

function contestantOf(server: ServerProcess, workers: number): Contestant {
  const port = Number(new URL(server.url).port);
  const starts = server.output().matchAll(/"worker":\d+,"pid":(\d+),"msg":"a worker starts"/g);
  const workerPids = workers === 1 ? [server.pid] : [...starts].map(([, pid]) => Number(pid));
  if (workerPids.length !== workers)
    throw new Error(`${workerPids.length} of ${workers} workers were started`);
  return { port, workerPids, pids: workers === 1 ? workerPids : [server.pid, ...workerPids] };
}

async function verifyRequests(server: ServerProcess, managementKey: string): Promise<readonly Buffer[]> {
  const api = apiOf(server, managementKey);
  const keyspace = 'bench-workers';
  const body = { name: keyspace, prefix: 'bench', format: 'opaque', allowed_scopes: ['orders:*'] };
  const made = await api.call('POST', '/v1/keyspaces', body);
  expectStatus(made.status, 201, made.body);
  const owner = { kind: 'service', external_id: 'bench' };
  const terms = { keyspace, owner, scopes: ['orders:read'], ttl_seconds: 86_400 };
  const secrets: string[] = [];
  while (secrets.length < keyCount) {
    const keys = Array.from({ length: keysPerRequest }, () => terms);
    const reply = await api.call('POST', '/v1/keys/bulk', { keys });
    for (const result of resultsOf(reply)) secrets.push(issuedOf(result).secret);
  }
  const headers = { authorization: `Bearer ${managementKey}` };
  return secrets.map((key) =>
    postRequest('/v1/keys/verify', { key, keyspace, scopes: ['orders:read'] }, headers),
  );
}

async function measure(
  contestant: Contestant,
  options: WorkersOptions & { readonly requests: readonly Buffer[]; readonly generator: Generator },
): Promise<Round> {
  const { requests, connections, seconds, ratePerSecond } = options;
  const common = { port: contestant.port, requests, connections, seconds };
  // So that neither is measured while its code is still being compiled.
  await options.generator.run({ ...common, seconds: 1, warmupSeconds: 0 });
  const restCpuMicros = await restOf(contestant.pids, seconds);
  const before = await cpuOf(contestant.pids);
  const eachBefore = await Promise.all(contestant.workerPids.map(cpuSecondsOf));
  const open = await openLoad({ ...common, ratePerSecond });
  const cpuSeconds = (await cpuOf(contestant.pids)) - before;
  const eachAfter = await Promise.all(contestant.workerPids.map(cpuSecondsOf));
  const spent = eachAfter.map((after, at) => after - (eachBefore[at] ?? 0));
  expectOnly200(open.statuses);
  const beforeClosed = await cpuOf(contestant.pids);
  const closed = await options.generator.run({ ...common, warmupSeconds: 1 });
  const busySeconds = (await cpuOf(contestant.pids)) - beforeClosed;
  expectOnly200(closed.statuses);
  return {
    cpuMicrosPerRequest: (cpuSeconds * 1e6) / open.answered,
    busyCpuMicrosPerRequest: (busySeconds * 1e6) / (closed.statuses[200] ?? 0),
    restCpuMicros,
    p50Ms: quantile(open.latenciesMs, 0.5),
    p99Ms: quantile(open.latenciesMs, 0.99),
    perSecond: closed.counted / closed.seconds,
    leastShare: (Math.min(...spent) * spent.length) / spent.reduce((sum, each) => sum + each, 0),
  };
}

async function restOf(pids: readonly number[], seconds: number): Promise<number> {
  const before = await cpuOf(pids);
  await new Promise((resolve) => setTimeout(resolve, seconds * 1000));
  return (((await cpuOf(pids)) - before) * 1e6) / seconds;
}

async function openLoad(options: OpenLoadOptions): Promise<OpenLoadResult> {
  const script = fileURLToPath(new URL('./open-load-process.ts', import.meta.url));
  const child = fork(script, { stdio: ['ignore', 'inherit', 'inherit', 'ipc'], serialization: 'advanced' });
  try {
    child.send({ ...options, requests: options.requests.map((request) => request.toString('latin1')) });
    const [message] = (await once(child, 'message')) as [{ result?: OpenLoadResult; error?: string }];
    if (message.result === undefined) throw new Error(`the generator failed: ${message.error}`);
    return message.result;
  } finally {
    child.disconnect();
  }
}

function expectOnly200(statuses: Readonly<Record<string, number>>): void {
  const { 200: _answered, ...others } = statuses;
  if (Object.keys(others).length > 0) throw new Error(`not only 200: ${JSON.stringify(statuses)}`);
}

async function cpuOf(pids: readonly number[]): Promise<number> {
  const each = await Promise.all(pids.map(cpuSecondsOf));
  return each.reduce((sum, seconds) => sum + seconds, 0);
}

function quantile(ascending: Float64Array, part: number): number {
  return ascending[Math.min(ascending.length - 1, Math.floor(ascending.length * part))] ?? Number.NaN;
}

function medianRound(rounds: readonly Round[]): Round {
  const of = (figure: (round: Round) => number) => median(rounds.map(figure));
  return {
    cpuMicrosPerRequest: of((round) => round.cpuMicrosPerRequest),
    busyCpuMicrosPerRequest: of((round) => round.busyCpuMicrosPerRequest),
    restCpuMicros: of((round) => round.restCpuMicros),
    p50Ms: of((round) => round.p50Ms),
    p99Ms: of((round) => round.p99Ms),
    perSecond: of((round) => round.perSecond),
    leastShare: of((round) => round.leastShare),
  };
}
