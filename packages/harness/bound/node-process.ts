import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { freePort, waitReady } from '../acceptance/server-process.ts';
import type { VerifyTarget } from './verify-connection.ts';

const launcher = fileURLToPath(new URL('../../cli/bin/keyswarm.mjs', import.meta.url));

export interface NodeOptions {
  readonly name: string;
  readonly relayUrl: string;
  readonly credential: string;
  readonly managementKey: string;
  readonly env?: Readonly<Record<string, string>>;
  readonly readyWithinMs?: number;
}

/** A real verify-only node in a process of its own. */
export interface NodeProcess extends VerifyTarget {
  readonly name: string;
  readonly url: string;
  readonly pid: number;
  /** From spawn to the first 200 of `/readyz`. */
  readonly readyMs: number;
  output(): string;
  /** SIGSTOP, and SIGCONT after so long. */
  freeze(ms: number): Promise<void>;
  metric(name: string): Promise<number>;
  stop(): Promise<number | null>;
}

export async function startNodeProcess(options: NodeOptions): Promise<NodeProcess> {
  const port = await freePort();
  const spawnedAtMs = performance.now();
  const child = spawn(process.execPath, [launcher, 'verifier'], {
    stdio: ['ignore', 'pipe', 'pipe'],
    env: {
      ...process.env,
      KEYSWARM_RELAYS: options.relayUrl,
      KEYSWARM_VERIFIER_KEY: options.credential,
      KEYSWARM_PORT: String(port),
      KEYSWARM_NAME: options.name,
      ...options.env,
    },
  });
  const output = collectOutput(child);
  const exited = once(child, 'exit');
  const url = `http://127.0.0.1:${port}`;
  try {
    await waitReady(url, child, options.readyWithinMs);
  } catch (error) {
    child.kill('SIGKILL');
    await exited;
    throw new Error(`${options.name}: ${String(error)}\n${output().slice(-4000)}`);
  }
  const pid = child.pid ?? 0;
  return {
    name: options.name,
    url,
    port,
    pid,
    managementKey: options.managementKey,
    readyMs: performance.now() - spawnedAtMs,
    output,
    async freeze(ms) {
      process.kill(pid, 'SIGSTOP');
      await new Promise((resolve) => setTimeout(resolve, ms));
      process.kill(pid, 'SIGCONT');
    },
    metric: (name) => metricOf(url, name),
    async stop() {
      child.kill('SIGTERM');
      await exited;
      return child.exitCode;
    },
  };
}

/** The sum of a metric's series, as `/metrics` tells it now; NaN when there is none. */
export async function metricOf(url: string, name: string): Promise<number> {
  const text = await (await fetch(`${url}/metrics`)).text();
  const lines = text.split('\n').filter((line) => line.startsWith(`${name} `) || line.startsWith(`${name}{`));
  if (lines.length === 0) return Number.NaN;
  return lines.reduce((sum, line) => sum + Number(line.slice(line.lastIndexOf(' ') + 1)), 0);
}

function collectOutput(child: ChildProcess): () => string {
  let text = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream?.on('data', (chunk: Buffer) => {
      text = (text + chunk.toString()).slice(-200_000);
    });
  }
  return () => text;
}
