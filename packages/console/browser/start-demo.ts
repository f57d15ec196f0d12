import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';

const main = fileURLToPath(new URL('../../cli/src/main.ts', import.meta.url));

export interface RunningDemo {
  readonly child: ChildProcess;
  readonly url: string;
  readonly key: string;
  /** What a newcomer opens. */
  readonly signInUrl: string;
  stop(): Promise<void>;
}

/** `keyswarm start --demo`, as a newcomer starts it, on a free port. */
export async function startDemo(): Promise<RunningDemo> {
  const child = spawn(process.execPath, [main, 'start', '--demo', '--port', '0'], {
    env: { PATH: process.env.PATH ?? '' },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const signInUrl = await new Promise<string>((resolve, reject) => {
    createInterface({ input: child.stdout }).on('line', (line) => {
      const [found] = /http:\/\/\S+#key=\S+/.exec(line) ?? [];
      if (found !== undefined) resolve(found);
    });
    child.once('exit', () => reject(new Error('the demonstration ended before it listened')));
  });
  const [url = '', key = ''] = signInUrl.split('/#key=');
  return {
    child,
    url,
    key,
    signInUrl,
    async stop() {
      if (child.exitCode !== null) return;
      const ended = once(child, 'exit');
      child.kill('SIGTERM');
      await ended;
    },
  };
}
