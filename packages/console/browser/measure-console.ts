import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { Agent, request } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { gzipSync } from 'node:zlib';
import { type Client, createClient } from '@keyswarm/sdk';

/*
 * `node packages/console/browser/measure-console.ts [--seconds 8] [--per-second 1000] [--watchers 1]`: what the page weighs,
 * and what one watcher costs the server, in CPU of its process (user and system, as the kernel counts them) with the same
 * load of verifications, in turn without and with it, three rounds. The load comes from this process, open loop.
 */

const option = (name: string, byDefault: number): number => {
  const at = process.argv.indexOf(`--${name}`);
  return at < 0 ? byDefault : Number(process.argv[at + 1]);
};
const seconds = option('seconds', 8);
const perSecond = option('per-second', 1000);
const watchers = option('watchers', 1);
const rounds = 3;
const ticksPerSecond = 100;
const underWayMax = 64;
const tickMs = 10;

weigh();
const folder = mkdtempSync(join(tmpdir(), 'keyswarm-measure-'));
const server = await startServer();
try {
  await measure();
} finally {
  server.child.kill('SIGTERM');
  await once(server.child, 'exit');
  rmSync(folder, { recursive: true });
}

function weigh(): void {
  const dist = fileURLToPath(new URL('../dist/', import.meta.url));
  const files = readdirSync(dist, { recursive: true, encoding: 'utf8' }).filter((path) =>
    /\.\w+$/.test(path),
  );
  const bytes = files.map((path) => readFileSync(dist + path));
  const sum = (sizes: readonly number[]): string => (sizes.reduce((a, b) => a + b, 0) / 1000).toFixed(1);
  const raw = sum(bytes.map(({ length }) => length));
  const compressed = sum(bytes.map((one) => gzipSync(one, { level: 9 }).length));
  print(`the page: ${files.length} files, ${raw} kB, ${compressed} kB compressed`);
}

async function startServer(): Promise<{
  readonly child: ChildProcess;
  readonly url: string;
  readonly key: string;
}> {
  const main = fileURLToPath(new URL('../../cli/src/main.ts', import.meta.url));
  const args = [main, 'start', '--port', '0', '--data-dir', folder, '--workflows', 'false'];
  const child = spawn(process.execPath, args, {
    env: { PATH: process.env.PATH ?? '' },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  let key = '';
  const url = await new Promise<string>((resolve, reject) => {
    createInterface({ input: child.stdout }).on('line', (line) => {
      key = /KEYSWARM_KEY=(\S+)/.exec(line)?.[1] ?? key;
      const found = line.includes('"listening"') ? /"url":"([^"]+)"/.exec(line)?.[1] : undefined;
      if (found !== undefined) resolve(found);
    });
    child.once('exit', () => reject(new Error('the server ended before it listened')));
  });
  return { child, url, key };
}

async function measure(): Promise<void> {
  const { url, key } = server;
  const client = createClient({ baseUrl: url, managementKey: key });
  await client.keyspaces.create({ name: 'measured', prefix: 'measured', allowed_scopes: ['*'] });
  const { secret = '' } = await client.keys.issue({
    keyspace: 'measured',
    owner: { kind: 'service', external_id: 'load' },
    scopes: ['a:b'],
  });
  const ask = verifier(secret);
  await loaded(ask, 2);
  const without: Round[] = [];
  const withOne: Round[] = [];
  for (let round = 0; round < rounds; round += 1) {
    without.push(await cpuOf(() => loaded(ask, seconds)));
    const stop = new AbortController();
    const watching = Array.from({ length: watchers }, () => watch(client, stop.signal));
    withOne.push(await cpuOf(() => loaded(ask, seconds)));
    stop.abort();
    await Promise.all(watching);
  }
  print(`CPU of the server, of one core: ${textOf(without)}`);
  print(`the same with ${watchers} watching: ${textOf(withOne)}`);
  const isReached = [...without, ...withOne].every(({ sent }) => sent >= perSecond * 0.9);
  if (!isReached) print(`NOT VALID: ${perSecond} a second were asked for and not sent; the machine is busy`);
}

async function watch(client: Client, signal: AbortSignal): Promise<void> {
  try {
    for await (const _frame of client.live({ signal })) {
      // A page would draw it.
    }
  } catch (error) {
    if (!signal.aborted) throw error;
  }
}

interface Round {
  readonly cpuPercent: number;
  /** Verifications a second. */
  readonly sent: number;
}

function textOf(all: readonly Round[]): string {
  return all.map(({ cpuPercent, sent }) => `${cpuPercent.toFixed(1)} % at ${Math.round(sent)}/s`).join(', ');
}

/** Of its process, in percent of one core, while `act` runs. */
async function cpuOf(act: () => Promise<number>): Promise<Round> {
  const before = cpuTicks();
  const startedMs = performance.now();
  const sent = await act();
  const elapsedSeconds = (performance.now() - startedMs) / 1000;
  return { cpuPercent: ((cpuTicks() - before) / ticksPerSecond / elapsedSeconds) * 100, sent };
}

/** `utime` and `stime` of /proc/pid/stat; Linux only. */
function cpuTicks(): number {
  const stat = readFileSync(`/proc/${server.child.pid}/stat`, 'utf8');
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  return Number(fields[11]) + Number(fields[12]);
}

function verifier(secret: string): () => Promise<void> {
  const { hostname, port } = new URL(server.url);
  const agent = new Agent({ keepAlive: true, maxSockets: underWayMax });
  const body = JSON.stringify({ key: secret, keyspace: 'measured', scopes: ['a:b'] });
  const headers = {
    authorization: `Bearer ${server.key}`,
    'content-type': 'application/json',
    'content-length': Buffer.byteLength(body),
  };
  return () =>
    new Promise((resolve, reject) => {
      const asked = request(
        { agent, hostname, port, method: 'POST', path: '/v1/keys/verify', headers },
        (reply) => {
          reply.resume().on('end', resolve);
          if (reply.statusCode !== 200) reject(new Error(`answered ${reply.statusCode}`));
        },
      );
      asked.on('error', reject);
      asked.end(body);
    });
}

/** Gives how many a second were sent. */
async function loaded(ask: () => Promise<void>, forSeconds: number): Promise<number> {
  const startedMs = performance.now();
  let sent = 0;
  let underWay = 0;
  let failed: unknown;
  while (performance.now() - startedMs < forSeconds * 1000) {
    const due = ((performance.now() - startedMs) / 1000) * perSecond;
    for (; sent < due && underWay < underWayMax; sent += 1) {
      underWay += 1;
      ask()
        .catch((error: unknown) => {
          failed = error;
        })
        .finally(() => {
          underWay -= 1;
        });
    }
    await new Promise((resolve) => setTimeout(resolve, tickMs));
  }
  if (failed !== undefined) throw failed;
  return sent / forSeconds;
}

function print(line: string): void {
  process.stdout.write(`${line}\n`);
}
