import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import type { LoadOptions, LoadResult } from './raw-load.ts';

const script = (name: string): string => fileURLToPath(new URL(name, import.meta.url));
const clockTicksPerSecond = 100; // Linux: USER_HZ, the same on every architecture Node runs on

export interface Generator {
  run(options: LoadOptions): Promise<LoadResult>;
  stop(): void;
}

export function startGenerator(): Generator {
  const child = fork(script('./load-process.ts'), { stdio: ['ignore', 'inherit', 'inherit', 'ipc'] });
  return {
    async run(options) {
      child.send({ ...options, requests: options.requests.map((request) => request.toString('latin1')) });
      const [message] = (await once(child, 'message')) as [{ result?: LoadResult; error?: string }];
      if (message.result === undefined) throw new Error(`the generator failed: ${message.error}`);
      return message.result;
    },
    stop: () => child.disconnect(),
  };
}

export interface EchoServer {
  readonly port: number;
  readonly pid: number;
  stop(): void;
}

export async function startEchoServer(): Promise<EchoServer> {
  const child: ChildProcess = fork(script('./echo-server.ts'), {
    stdio: ['ignore', 'pipe', 'inherit', 'ipc'],
  });
  if (child.stdout === null) throw new Error('the echo server has no stdout');
  const [line] = (await once(child.stdout, 'data')) as [Buffer];
  return { port: Number(line.toString()), pid: child.pid ?? 0, stop: () => child.disconnect() };
}

/** CPU seconds (user and system) that a process has used; NaN where there is no /proc. */
export async function cpuSecondsOf(pid: number): Promise<number> {
  const stat = await readFile(`/proc/${pid}/stat`, 'latin1').catch(() => '');
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  return (Number(fields[11]) + Number(fields[12])) / clockTicksPerSecond;
}
