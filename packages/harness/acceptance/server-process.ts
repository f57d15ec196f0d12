import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createServer } from 'node:net';
import { fileURLToPath } from 'node:url';

const launcher = fileURLToPath(new URL('../../cli/bin/keyswarm.mjs', import.meta.url));
const readyWithinMs = 60_000;
const readyPollMs = 50;

export interface ServerProcessOptions {
  readonly dataDir: string;
  readonly bootstrapKey: string;
  /** Absent: the embedded store in `dataDir`. */
  readonly databaseUrl?: string;
  /** 32 bytes in base64: needed with a database, and the same one at every start. */
  readonly masterKey?: string;
  readonly env?: Readonly<Record<string, string>>;
  readonly readyWithinMs?: number;
}

export interface ServerProcess {
  readonly url: string;
  readonly pid: number;
  /** What the process wrote so far, to search for what must not be there. */
  output(): string;
  /** SIGKILL: nothing is flushed, nothing is said. */
  kill(): Promise<void>;
  /** SIGTERM, and wait for the drain. Returns the exit code. */
  stop(): Promise<number | null>;
}

/**
 * Starts a real server in a process of its own, as a user does, and resolves once `/readyz` says 200. The port is the kernel's choice,
 * told by the server: one that was free a moment ago may be another server's by then, which would be ready as well.
 */
export async function startServerProcess(options: ServerProcessOptions): Promise<ServerProcess> {
  const child = spawn(process.execPath, [launcher, 'start'], {
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { ...process.env, ...serverEnvironment(options), ...options.env },
  });
  let output = '';
  child.stdout.on('data', (chunk: Buffer) => {
    output += chunk.toString();
  });
  child.stderr.on('data', (chunk: Buffer) => {
    output += chunk.toString();
  });
  const exited = once(child, 'exit');
  const deadline = performance.now() + (options.readyWithinMs ?? readyWithinMs);
  let url: string;
  try {
    url = await toldUrl(child, () => output, deadline);
    await waitReady(url, child, deadline - performance.now());
  } catch (error) {
    child.kill('SIGKILL');
    await exited;
    throw new Error(`${String(error)}\n${output.slice(-4000)}`);
  }
  return {
    url,
    pid: child.pid ?? 0,
    output: () => output,
    kill: async () => {
      child.kill('SIGKILL');
      await exited;
    },
    stop: async () => {
      child.kill('SIGTERM');
      await exited;
      return child.exitCode;
    },
  };
}

/** Where it listens, once it says so. */
async function toldUrl(child: ChildProcess, output: () => string, deadline: number): Promise<string> {
  while (performance.now() < deadline) {
    const url = /"url":"(http:[^"]+)".*"msg":"listening"/.exec(output())?.[1];
    if (url !== undefined) return url;
    refuseEnded(child);
    await new Promise((resolve) => setTimeout(resolve, readyPollMs));
  }
  throw new Error('the server did not listen in time');
}

function refuseEnded({ exitCode }: ChildProcess): void {
  if (exitCode !== null) throw new Error(`the server exited with ${exitCode} before it was ready`);
}

function serverEnvironment(options: ServerProcessOptions): Record<string, string> {
  return {
    KEYSWARM_PORT: '0',
    KEYSWARM_HOST: '127.0.0.1',
    KEYSWARM_DATA_DIR: options.dataDir,
    KEYSWARM_BOOTSTRAP_KEY: options.bootstrapKey,
    ...(options.databaseUrl === undefined ? {} : { KEYSWARM_DATABASE_URL: options.databaseUrl }),
    ...(options.masterKey === undefined ? {} : { KEYSWARM_MASTER_KEY: options.masterKey }),
  };
}

/** A port that was free a moment ago. Another process may take it: the start then fails and says so. */
export async function freePort(): Promise<number> {
  const probe = createServer().listen(0, '127.0.0.1');
  await once(probe, 'listening');
  const address = probe.address();
  probe.close();
  if (address === null || typeof address === 'string') throw new Error('the probe has no port');
  return address.port;
}

/** Resolves at the first 200 of `/readyz`; rejects when the process ends before, or takes too long. */
export async function waitReady(url: string, child: ChildProcess, withinMs = readyWithinMs): Promise<void> {
  const deadline = performance.now() + withinMs;
  while (performance.now() < deadline) {
    refuseEnded(child);
    const ready = await fetch(`${url}/readyz`).then(
      async (response) => {
        await response.arrayBuffer();
        return response.status === 200;
      },
      () => false,
    );
    if (ready) return;
    await new Promise((resolve) => setTimeout(resolve, readyPollMs));
  }
  throw new Error(`the server was not ready within ${withinMs} ms`);
}
