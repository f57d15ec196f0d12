import { randomBytes } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { mintKeyString } from '@keyswarm/core';
import { apiOf } from '../../acceptance/api.ts';
import { type ServerProcess, startServerProcess } from '../../acceptance/server-process.ts';
import { populate } from '../../bound/cluster.ts';
import { quantile } from '../../bound/open-load.ts';
import { VerifyConnection, type VerifyTarget } from '../../bound/verify-connection.ts';
import { type Range, wholeOption } from '../../command-line/number-option.ts';

/*
 * npm run bench:newcomers -- [--busy 1000] [--seconds 8]
 *
 * How long whoever comes anew waits while so many connections always have a request under way: from connecting to the first
 * verdict, with one listening socket (as Node has it) and with as many as a server opens by itself. A new connection at a
 * time for each of sixteen newcomers, on the embedded store.
 */

const { values } = parseArgs({
  options: {
    busy: { type: 'string', default: '1000' },
    seconds: { type: 'string', default: '8' },
  },
});
const busy = asked('busy', { min: 1, max: 4_000 });
const seconds = asked('seconds', { min: 2, max: 600 });
const newcomersAtOnce = 16;
const keyspace = 'orders';
/** A connection may wait for longer than is measured: what has not been answered by then waited at least this long. */
const settleSeconds = 3;

interface Waits {
  readonly ms: readonly number[];
  readonly unanswered: number;
  /** The latest that a timer of the server was, in seconds. */
  readonly lagSeconds: number;
}

const one = await measure({ KEYSWARM_LISTEN_SOCKETS: '1' });
const several = await measure({});
tell('one listening socket', one);
tell('as many as by default', several);
console.log(
  `ratio                   p50 ${(quantile(one.ms, 0.5) / quantile(several.ms, 0.5)).toFixed(1)} times shorter`,
);

async function measure(env: Readonly<Record<string, string>>): Promise<Waits> {
  const dataDir = await mkdtemp(join(tmpdir(), 'keyswarm-newcomers-'));
  const managementKey = mintKeyString('keyswarm', randomBytes);
  const server = await startServerProcess({ dataDir, bootstrapKey: managementKey, env });
  try {
    return await waitsAt(server, managementKey);
  } finally {
    await server.kill();
    await rm(dataDir, { recursive: true, force: true });
  }
}

async function waitsAt(server: ServerProcess, managementKey: string): Promise<Waits> {
  const api = apiOf(server, managementKey);
  await api.call('POST', '/v1/keyspaces', { name: keyspace, prefix: keyspace, allowed_scopes: ['orders:*'] });
  const [key] = await populate(api, keyspace, { count: 1, keep: 1 });
  if (key === undefined) throw new Error('no key was issued');
  const target = { port: Number(new URL(server.url).port), managementKey };
  const over = { isOver: false };
  const crowd = Array.from({ length: busy }, () => new VerifyConnection(target));
  for (const connection of crowd) void keepBusy(connection, key.secret, over);
  await sleep(settleSeconds);
  const waits = await newcomers(target, key.secret);
  over.isOver = true;
  for (const connection of crowd) connection.close();
  return { ...waits, lagSeconds: await lagOf(server) };
}

async function lagOf({ url }: ServerProcess): Promise<number> {
  const text = await (await fetch(`${url}/metrics`)).text();
  return Number(/^keyswarm_nodejs_eventloop_lag_max_seconds (\S+)$/m.exec(text)?.[1]);
}

async function keepBusy(connection: VerifyConnection, secret: string, over: { readonly isOver: boolean }) {
  while (!over.isOver) await connection.ask(secret, keyspace);
}

async function newcomers(target: VerifyTarget, secret: string): Promise<Omit<Waits, 'lagSeconds'>> {
  const untilMs = performance.now() + seconds * 1000;
  const ms: number[] = [];
  let unanswered = 0;
  const come = async (): Promise<void> => {
    while (performance.now() < untilMs) {
      const connection = new VerifyConnection(target);
      const beganMs = performance.now();
      const answer = connection.ask(secret, keyspace).then(({ status }) => status === 200);
      const isAnswered = await Promise.race([answer, sleep((untilMs - beganMs) / 1000).then(() => false)]);
      // What is still waiting has waited for so long at the least.
      ms.push(performance.now() - beganMs);
      if (!isAnswered) unanswered += 1;
      connection.close();
    }
  };
  await Promise.all(Array.from({ length: newcomersAtOnce }, come));
  return { ms: ms.sort((a, b) => a - b), unanswered };
}

function asked(name: keyof typeof values, range: Range): number {
  try {
    return wholeOption(`--${name}`, values[name], range, TypeError);
  } catch (error) {
    console.error((error as Error).message);
    process.exit(2);
  }
}

function tell(name: string, { ms, unanswered, lagSeconds }: Waits): void {
  console.log(
    `${name.padEnd(23)} ${ms.length} came: p50 ${quantile(ms, 0.5).toFixed(0)} ms, p99 ${quantile(ms, 0.99).toFixed(0)} ms; timers late by ${lagSeconds.toFixed(1)} s at most` +
      (unanswered > 0 ? `; ${unanswered} of them had no answer when it ended` : ''),
  );
}

function sleep(count: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, Math.max(0, count * 1000)));
}
