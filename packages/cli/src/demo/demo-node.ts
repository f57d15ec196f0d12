import { type ChildProcess, spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { demoNodeStartMsMax } from './demo-limits.ts';

const main = fileURLToPath(new URL('../main.ts', import.meta.url));

export interface DemoNode {
  readonly url: string;
  readonly name: string;
  stop(): void;
}

/** `keyswarm verifier` as anybody would start it, in a process of its own. Resolves when it listens. */
export function startDemoNode(options: {
  readonly name: string;
  readonly region: string;
  readonly relay: string;
  readonly credential: string;
}): Promise<DemoNode> {
  const { name, region, relay, credential } = options;
  const args = ['verifier', '--relay', relay, '--port', '0', '--name', name, '--region', region];
  const child = spawn(process.execPath, [main, ...args], {
    env: { PATH: process.env.PATH ?? '', KEYSWARM_VERIFIER_KEY: credential },
    stdio: ['ignore', 'pipe', 'inherit', 'ipc'],
  });
  return new Promise((resolve, reject) => {
    const late = setTimeout(() => fail(`${name} did not listen in time`), demoNodeStartMsMax);
    const fail = (why: string): void => {
      clearTimeout(late);
      child.kill('SIGKILL');
      reject(new Error(why));
    };
    child.once('exit', () => fail(`${name} ended`));
    child.once('error', (error) => fail(error.message));
    listensAt(child, (url) => {
      clearTimeout(late);
      child.removeAllListeners('exit');
      resolve({ url, name, stop: () => void child.kill('SIGTERM') });
    });
  });
}

/** It says so in its log, which is read to the end, so that it never blocks. */
function listensAt(child: ChildProcess, found: (url: string) => void): void {
  if (child.stdout === null) throw new Error('its output is a pipe');
  createInterface({ input: child.stdout }).on('line', (line) => {
    const [, url] = line.includes('"listening"') ? (/"url":"([^"]+)"/.exec(line) ?? []) : [];
    if (url !== undefined) found(url);
  });
}
