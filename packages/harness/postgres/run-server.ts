import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { chownSync, closeSync, openSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { ServerLayout } from './lay-out-server.ts';
import type { RunUser } from './run-user.ts';

export const superuser = 'keyswarm';

/** Makes the cluster. C collation and UTC, so that no test depends on the machine's locale. */
export function initCluster(layout: ServerLayout, user: RunUser | undefined, password: string): void {
  const passwordPath = join(layout.runDir, 'password');
  writeFileSync(passwordPath, password, { mode: 0o600 });
  if (user !== undefined) chownSync(passwordPath, user.uid, user.gid);
  const { status, stderr, error } = spawnSync(
    join(layout.bin, 'initdb'),
    [
      `--pgdata=${layout.dataDir}`,
      `--username=${superuser}`,
      `--pwfile=${passwordPath}`,
      '--auth=scram-sha-256',
      '--encoding=UTF8',
      '--locale=C',
    ],
    { ...user, cwd: layout.root, env: serverEnv(), encoding: 'utf8', timeout: 120_000 },
  );
  rmSync(passwordPath);
  if (status !== 0) throw new Error(`initdb failed: ${error?.message ?? stderr}`);
}

/** A postmaster that lives, and has not been seen to answer yet. */
export interface ServerProcess {
  readonly child: ChildProcess;
  readonly exited: Promise<number | null>;
  /** The last lines of its log, for messages. */
  readLog(): string;
}

export function spawnServer(
  layout: ServerLayout,
  user: RunUser | undefined,
  settings: Readonly<Record<string, string>>,
): ServerProcess {
  const logPath = join(layout.runDir, 'log');
  const log = openSync(logPath, 'a', 0o600);
  const flags = Object.entries(settings).flatMap(([name, value]) => ['-c', `${name}=${value}`]);
  const child = spawn(join(layout.bin, 'postgres'), ['-D', layout.dataDir, ...flags], {
    ...user,
    cwd: layout.root,
    env: serverEnv(),
    stdio: ['ignore', log, log],
    // A Ctrl-C at the terminal is for whoever started it: to the server it would be an order to stop.
    detached: true,
  });
  closeSync(log);
  const exited = new Promise<number | null>((resolve) => {
    child.once('exit', resolve);
    child.once('error', () => resolve(null));
  });
  return { child, exited, readLog: () => readFileSync(logPath, 'utf8').slice(-2000) };
}

/** Nothing of the caller's environment but what a process needs: PGDATA or PGOPTIONS would change the server. */
function serverEnv(): Record<string, string> {
  return { PATH: process.env.PATH ?? '/usr/bin:/bin', LC_ALL: 'C', TZ: 'UTC' };
}
