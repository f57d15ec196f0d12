import { randomBytes } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { mintKeyString } from '@keyswarm/core';
import { type Api, apiOf, type IssuedKey } from '../acceptance/api.ts';
import { type ServerProcess, startServerProcess } from '../acceptance/server-process.ts';
import { expectStatus } from '../acceptance/walk.ts';
import { populate } from '../bound/cluster.ts';
import { type LoadCounts, OpenLoad, quantile } from '../bound/open-load.ts';
import { untilTaken } from '../holders/house.ts';
import { startPostgres } from '../postgres/index.ts';
import { measureCapacity } from './capacity.ts';
import { checkAskedOnce, checkEachOnce } from './check-keys.ts';
import { RemoteHolders } from './remote-holders.ts';
import { RotationTimesReader } from './rotation-times.ts';

/*
 * npm run prove:campaign -- [--keys 100000] [--share 50] [--pace 2000] [--window 10] [--settle 10] [--at-once 256]
 *
 * Two servers on one PostgreSQL. The one works on a campaign that rotates every key of a keyspace; the other takes an open
 * load of verifications (`--share` percent of what it was found to be capable of), each with the newest secret that a
 * holder has stored, and the renewals of the holders. Midway the first is killed, and the second goes on; old versions
 * that have been silent for `--settle` seconds are ended by the house. Ends with 1 unless every key was asked once and renewed once, and no
 * valid key was refused or left without an answer.
 */

const { values } = parseArgs({
  options: {
    keys: { type: 'string', default: '100000' },
    share: { type: 'string', default: '50' },
    pace: { type: 'string', default: '2000' },
    window: { type: 'string', default: '10' },
    settle: { type: 'string', default: '10' },
    'at-once': { type: 'string', default: '256' },
  },
});
const numberOf = (name: keyof typeof values): number => {
  const count = Number(values[name]);
  if (Number.isSafeInteger(count) && count >= 1) return count;
  console.error(`--${name}: expected a whole number of at least 1, got ${values[name]}`);
  process.exit(2);
};
const options = {
  keys: numberOf('keys'),
  share: numberOf('share') / 100,
  pace: numberOf('pace'),
  windowSeconds: numberOf('window'),
  settleSeconds: numberOf('settle'),
  atOnce: numberOf('at-once'),
};
const keyspace = 'orders';
/**
 * Of the load. With those of the holders fewer than the 1,024 events that one poll of Node's event loop takes: where as many are
 * ready each time, it polls again up to 48 times before it looks at a timer.
 */
const loadConnections = 512;
/** How often a look is made again that got no answer, half a second apart. */
const looksMax = 60;
const report = (phase: string, found: string): void => console.log(`${phase.padEnd(24)} ${found}`);
const sleep = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

const dataDir = await mkdtemp(join(tmpdir(), 'keyswarm-campaign-'));
const postgres = await startPostgres({ own: true, settings: { synchronous_commit: 'on' } });
const managementKey = mintKeyString('keyswarm', randomBytes);
const common = {
  dataDir,
  bootstrapKey: managementKey,
  databaseUrl: await postgres.createDatabase('campaign'),
  masterKey: randomBytes(32).toString('base64'),
};
const servers: ServerProcess[] = [];
const closing: (() => unknown)[] = [];
/** Where a valid key was refused or not answered; what comes after is looked at all the same. */
const broken: string[] = [];
const start = async (): Promise<ServerProcess> => {
  const server = await startServerProcess(common);
  servers.push(server);
  return server;
};
try {
  await prove(await start());
} catch (error) {
  console.error(`BROKEN  ${reasonOf(error)}`);
  for (const server of servers) console.error(server.output().slice(-2_000));
  process.exitCode = 1;
} finally {
  for (const close of closing) close();
  for (const server of servers) await server.kill();
  await postgres.stop('immediate');
  await rm(dataDir, { recursive: true, force: true });
}

async function prove(worker: ServerProcess): Promise<void> {
  const api = apiOf(worker, managementKey);
  const made = await api.call('POST', '/v1/keyspaces', {
    name: keyspace,
    prefix: keyspace,
    allowed_scopes: ['orders:*'],
    rotation: { settle_seconds: options.settleSeconds },
  });
  expectStatus(made.status, 201, made.body);
  const keys = await populate(api, keyspace, { count: options.keys, keep: options.keys });
  report('population', `${keys.length} keys`);
  const target = targetOf(worker);
  const secrets = keys.map(({ secret }) => secret);
  const capacity = await measureCapacity(target, { keyspace, keys: secrets, seconds: 5 });
  const perSecond = Math.round(capacity * options.share);
  report('capacity', `${Math.round(capacity)} verifications a second; the load is ${perSecond}`);
  const even = { keyspace, perSecond, connectionsMax: loadConnections, random: Math.random };
  const quiet = new OpenLoad({ ...even, target, keys: secrets });
  quiet.start();
  await sleep(5_000);
  await quiet.stop();
  tellLoad('without a campaign', quiet.take());
  const campaignId = await begin(api);
  await until(api, campaignId, ({ progress }) => progress.taken > 0);
  // From here on the first server holds the campaign, so the second takes it up only once that is gone.
  const server = await start();
  const surviving = patient(apiOf(server, managementKey));
  // A process that has just started is slow for some seconds, and an open load does not wait for it.
  await measureCapacity(targetOf(server), { keyspace, keys: secrets, seconds: 4 });
  const holders = new RemoteHolders({ url: server.url, keys, atOnce: options.atOnce });
  closing.push(() => holders.stop());
  const load = new OpenLoad({
    ...even,
    target: targetOf(server),
    keys: holders.secrets,
    onRenewAfter: (at, renewAfter) => holders.hint(at, renewAfter),
  });
  load.start();
  closing.push(() => load.stop());
  const beganMs = performance.now();
  await until(surviving, campaignId, ({ progress }) => progress.taken >= options.keys / 2);
  const atKill = await showOf(surviving, campaignId);
  await worker.kill();
  report('worker killed', `${atKill.progress.taken} of ${options.keys} asked, ${holders.renewed} renewed`);
  tellLoad('until the kill', load.take());
  const telling = setInterval(
    () =>
      report('renewed', `${holders.renewed} of ${options.keys}; tried again: ${commonest(holders.problems)}`),
    10_000,
  );
  closing.push(() => clearInterval(telling));
  await until(surviving, campaignId, ({ state }) => state === 'finished');
  await holders.all;
  const seconds = (performance.now() - beganMs) / 1000;
  tellLoad('after the kill', load.take());
  const times = [...holders.renewedMs].sort((a, b) => a - b);
  report(
    'renewals',
    `${holders.renewed} by the SDK in ${seconds.toFixed(1)} s, ${Math.round(holders.renewed / seconds)} keys/s; ` +
      `asked to in use p50 ${quantile(times, 0.5)} ms, p99 ${quantile(times, 0.99)} ms; ` +
      `tried again: ${commonest(holders.problems)}`,
  );
  const retired = await untilRetired(surviving);
  await load.stop();
  tellLoad('until the last old one', load.take());
  report('rotation time', retired);
  await checkKeys(surviving, campaignId, keys);
  if (broken.length > 0) throw new Error(broken.join('; '));
}

/** How often each was told, the commonest first. */
function commonest(problems: readonly string[]): string {
  const counts = new Map<string, number>();
  for (const text of problems) counts.set(text, (counts.get(text) ?? 0) + 1);
  const first = [...counts].sort(([, a], [, b]) => b - a).slice(0, 3);
  return first.map(([text, count]) => `${count} × ${text}`).join('; ') || 'none';
}

function targetOf({ url }: ServerProcess) {
  return { port: Number(new URL(url).port), managementKey };
}

async function checkKeys(api: Api, campaignId: string, keys: readonly IssuedKey[]): Promise<void> {
  const ids = keys.map(({ id }) => id);
  const told = await checkAskedOnce(api, campaignId, ids);
  await checkEachOnce(api, keyspace, ids);
  const { progress } = await showOf(api, campaignId);
  report('each key', `${told} asked once and renewed once; campaign says ${JSON.stringify(progress)}`);
}

interface Shown {
  readonly state: string;
  readonly progress: { readonly taken: number; readonly renewed: number; readonly open: number };
}

async function begin(api: Api): Promise<string> {
  const { status, body } = await api.call('POST', '/v1/campaigns', {
    kind: 'rotate',
    selector: { keyspace },
    confirm: options.keys,
    window_seconds: options.windowSeconds,
    pace: { keys_per_second: options.pace },
    canary: { hold_seconds: 2 },
  });
  expectStatus(status, 201, body);
  return String((body.campaign as { id?: unknown }).id);
}

async function showOf(api: Api, id: string): Promise<Shown> {
  const { status, body } = await untilTaken(() => api.call('GET', `/v1/campaigns/${id}`));
  expectStatus(status, 200, body);
  return body as unknown as Shown;
}

/** Waits until every old version has ended by itself. */
async function untilRetired(api: Api): Promise<string> {
  const reader = new RotationTimesReader(api);
  for (;;) {
    const { askedToRenewedMs, renewedToRetiredMs, retired } = await reader.read();
    if (retired >= options.keys) {
      const of = (name: string, ms: readonly number[]) =>
        `${name} p50 ${Math.round(quantile(ms, 0.5))} ms, p99 ${Math.round(quantile(ms, 0.99))} ms`;
      return `${of('asked → new in use', askedToRenewedMs)}; ${of('→ old retired', renewedToRetiredMs)}`;
    }
    await sleep(2_000);
  }
}

async function until(api: Api, id: string, holds: (shown: Shown) => boolean): Promise<void> {
  for (;;) {
    const shown = await showOf(api, id);
    if (holds(shown)) return;
    if (shown.state === 'paused') throw new Error(`the campaign stands: ${JSON.stringify(shown)}`);
    await sleep(1_000);
  }
}

/** What is only looked at is asked again when no answer came; that is told, and it is the load that counts. */
function patient(api: Api): Api {
  return {
    async call(method, path, body, headers) {
      for (let tries = 1; ; tries += 1) {
        try {
          return await api.call(method, path, body, headers);
        } catch (error) {
          if (method !== 'GET' || tries === looksMax) throw error;
          report('a look failed', reasonOf(error));
          await sleep(500);
        }
      }
    },
  };
}

function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  return error.cause === undefined ? error.message : `${error.message}: ${String(error.cause)}`;
}

/** Says what the load came to. */
function tellLoad(phase: string, counts: LoadCounts): void {
  const refused = Object.values(counts.refused).reduce((sum, count) => sum + count, 0);
  const failed = refused + counts.unavailable + counts.lost + counts.notSent;
  report(
    phase,
    `${counts.valid} valid, ${failed} failed; verify p50 ${counts.latencies.quantile(0.5).toFixed(1)} ms, ` +
      `p99 ${counts.latencies.quantile(0.99).toFixed(1)} ms, ` +
      `at most ${counts.latencies.quantile(1).toFixed(0)} ms from when each was due`,
  );
  if (failed > 0) broken.push(`${phase}: ${JSON.stringify({ ...counts, latencies: undefined })}`);
}
