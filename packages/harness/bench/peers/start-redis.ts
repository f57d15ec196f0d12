import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { freePort } from '../../acceptance/server-process.ts';
import { findProgram } from '../../processes/find-program.ts';

export interface Redis {
  readonly url: string;
  readonly version: string;
  stop(): Promise<void>;
}

const readyWithinMs = 10_000;

/** A real redis-server that writes nothing to disk; undefined where there is none and none can be installed. */
export async function startRedis(say: (line: string) => void): Promise<Redis | undefined> {
  const found = findProgram({
    name: 'redis-server',
    debianPackage: 'redis-server',
    leftOut: 'the comparison with Redis',
  });
  if (found.path === undefined) {
    say(found.missing);
    return undefined;
  }
  const port = await freePort();
  const dir = await mkdtemp(join(tmpdir(), 'keyswarm-redis-'));
  const args = [
    '--port',
    String(port),
    '--bind',
    '127.0.0.1',
    '--save',
    '',
    '--appendonly',
    'no',
    '--dir',
    dir,
  ];
  const child = spawn(found.path, args, { stdio: ['ignore', 'pipe', 'inherit'] });
  let output = '';
  const ready = new Promise<void>((resolve, reject) => {
    const late = setTimeout(() => reject(new Error(`Redis is not ready: ${output}`)), readyWithinMs);
    child.on('exit', () => reject(new Error(`Redis ended: ${output}`)));
    child.stdout.on('data', (chunk: Buffer) => {
      output += chunk.toString();
      if (!/Ready to accept connections/.test(output)) return;
      clearTimeout(late);
      resolve();
    });
  });
  await ready;
  return {
    url: `redis://127.0.0.1:${port}`,
    version: /Redis version=([\d.]+)/.exec(output)?.[1] ?? 'of an unknown version',
    async stop() {
      const exited = once(child, 'exit');
      child.kill('SIGTERM');
      await exited;
      await rm(dir, { recursive: true, force: true });
    },
  };
}
