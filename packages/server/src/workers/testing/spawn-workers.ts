import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { Agent, request } from 'node:http';
import { createServer } from 'node:net';
import { fileURLToPath } from 'node:url';
import { mintKeyString } from '@keyswarm/core';
import { systemClock } from '../../runtime/clock.ts';
import { currentProcess } from '../../runtime/process.ts';
import { systemRandom } from '../../runtime/random.ts';
import { systemTimers } from '../../runtime/timers.ts';

/* `keyswarm start --workers N` as a user runs it, and what a test has to know of its processes. */

const launcher = fileURLToPath(new URL('../../../../cli/bin/keyswarm.mjs', import.meta.url));
/** Three processes that start beside other suites, on two cores. */
const patienceMs = 90_000;

export type Variables = Readonly<Record<string, string>>;

export interface SpawnedWorkers {
  readonly child: ChildProcess;
  readonly pid: number;
  /** The management key; empty where none was brought. */
  readonly rootKey: string;
  output(): string;
  /** Resolves with the exit code once all that was inherited is closed: then no worker is left. */
  readonly ended: Promise<number | null>;
  /** Resolves when the text stands in the output; rejects when the process ends without it. */
  said(text: string): Promise<void>;
  /** The pid of the process that is worker `worker` now. */
  workerPid(worker: number): number;
  /** Ends all of it, workers that were left behind too. */
  killAll(): Promise<void>;
}

export function spawnWorkers(args: readonly string[], variables: Variables): SpawnedWorkers {
  const child = spawn(process.execPath, [launcher, 'start', ...args], {
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { PATH: currentProcess.variables.PATH ?? '', ...variables },
  });
  let output = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding('utf8').on('data', (text: string) => {
      output += text;
    });
  }
  const starts = () => [...output.matchAll(/"worker":(\d+),"pid":(\d+),"msg":"a worker starts"/g)];
  let hasEnded = false;
  const ended = once(child, 'close').then(() => {
    hasEnded = true;
    return child.exitCode;
  });
  return {
    child,
    pid: child.pid ?? 0,
    rootKey: variables.KEYSWARM_BOOTSTRAP_KEY ?? '',
    ended,
    output: () => output,
    async said(text) {
      await until(() => output.includes(text) || hasEnded);
      if (!output.includes(text)) throw new Error(`it ended without ${text}: ${output}`);
    },
    workerPid(worker) {
      const last = starts().findLast(([, number]) => Number(number) === worker);
      if (last === undefined) throw new Error(`worker ${worker} was never started: ${output}`);
      return Number(last[2]);
    },
    async killAll() {
      child.kill('SIGKILL');
      for (const [, , pid] of starts())
        if (!hasEnded && isAlive(Number(pid))) process.kill(Number(pid), 'SIGKILL');
      await ended;
    },
  };
}

/** A database of its own, a management key, a master key: what workers of a test start with. */
export function variablesFor(databaseUrl: string, more: Variables = {}): Variables {
  return {
    KEYSWARM_DATABASE_URL: databaseUrl,
    KEYSWARM_MASTER_KEY: Buffer.alloc(32, 7).toString('base64'),
    KEYSWARM_BOOTSTRAP_KEY: mintKeyString('keyswarm', (count) => systemRandom.bytes(count)),
    ...more,
  };
}

/** Looks until it is so. */
export async function until(isSo: () => boolean | Promise<boolean>): Promise<void> {
  const giveUpAtMs = systemClock.monotonicMs() + patienceMs;
  while (!(await isSo())) {
    if (systemClock.monotonicMs() > giveUpAtMs) throw new Error(`not within ${patienceMs} ms: ${isSo}`);
    await systemTimers.sleep(20);
  }
}

/** A process that has ended but was not reaped yet is no process any more. */
export function isAlive(pid: number): boolean {
  try {
    return !/^State:\s+[ZX]/m.test(readFileSync(`/proc/${pid}/status`, 'utf8'));
  } catch {
    return false;
  }
}

export async function freePort(): Promise<number> {
  const probe = createServer().listen(0, '127.0.0.1');
  await once(probe, 'listening');
  const address = probe.address();
  probe.close();
  await once(probe, 'close');
  if (address === null || typeof address === 'string') throw new Error('the probe has no port');
  return address.port;
}

export interface Answer {
  readonly status: number;
  readonly text: string;
  /** Empty where the text is no JSON. */
  readonly body: Record<string, unknown>;
}

/** One connection, and so one worker, for as long as both live. Rejects when the connection breaks. */
export class Line {
  readonly #agent = new Agent({ keepAlive: true, maxSockets: 1 });
  readonly #url: string;
  readonly #key: string;

  constructor(url: string, key: string) {
    this.#url = url;
    this.#key = key;
  }

  call(method: string, path: string, body?: unknown, headers: Variables = {}): Promise<Answer> {
    return new Promise((resolve, reject) => {
      const options = {
        agent: this.#agent,
        method,
        headers: {
          authorization: `Bearer ${this.#key}`,
          ...(body === undefined ? {} : { 'content-type': 'application/json' }),
          ...headers,
        },
      };
      const asked = request(new URL(path, this.#url), options, (response) => {
        let text = '';
        response.setEncoding('utf8').on('data', (chunk: string) => {
          text += chunk;
        });
        response.on('end', () => {
          resolve({
            status: response.statusCode ?? 0,
            text,
            body: text.startsWith('{') ? JSON.parse(text) : {},
          });
        });
        response.on('error', reject);
      });
      asked.on('error', reject);
      asked.end(body === undefined ? undefined : JSON.stringify(body));
    });
  }

  verify(key: unknown): Promise<Answer> {
    return this.call('POST', '/v1/keys/verify', { key });
  }

  close(): void {
    this.#agent.destroy();
  }
}

/** The figures of `/metrics`, by series. */
export async function scrape(url: string): Promise<ReadonlyMap<string, number>> {
  return figuresOf(await (await fetch(`${url}/metrics`)).text());
}

export function figuresOf(text: string): ReadonlyMap<string, number> {
  const lines = text.split('\n').filter((line) => line !== '' && !line.startsWith('#'));
  return new Map(
    lines.map((line) => {
      const at = line.lastIndexOf(' ');
      return [line.slice(0, at), Number(line.slice(at + 1))] as const;
    }),
  );
}

/** A line to each worker, in their order. Which worker a line leads to is told by whose count it raises. */
export async function lineToEach(url: string, key: string, workers: number): Promise<readonly Line[]> {
  const lines = new Map<number, Line>();
  const countOf = async () => {
    const figures = await scrape(url);
    return (worker: number) => figures.get(`keyswarm_worker_verifications_total{worker="${worker}"}`) ?? 0;
  };
  for (let attempt = 0; attempt < 100 && lines.size < workers; attempt += 1) {
    const line = new Line(url, key);
    const before = await countOf();
    await line.verify('x');
    const after = await countOf();
    const worker = Array.from({ length: workers }, (_, at) => at + 1).find(
      (each) => after(each) > before(each),
    );
    if (worker === undefined || lines.has(worker)) line.close();
    else lines.set(worker, line);
  }
  if (lines.size < workers)
    throw new Error(`only ${[...lines.keys()].join(', ')} of ${workers} workers serve`);
  return [...lines].sort(([one], [other]) => one - other).map(([, line]) => line);
}
