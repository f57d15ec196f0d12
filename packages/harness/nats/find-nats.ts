import { execFileSync } from 'node:child_process';
import { accessSync, constants, existsSync } from 'node:fs';
import { delimiter, join } from 'node:path';

/** The program, or why there is none: a suite says which it is, and under CI a missing one is a failure. */
export type FoundNats =
  | { readonly path: string; readonly missing?: undefined }
  | { readonly path?: undefined; readonly missing: string };

const installMsMax = 120_000;

let found: FoundNats | undefined;

/**
 * `nats-server` from the PATH; where this is root's Debian, installed with its own package manager. Looked for
 * once a process. Throws under `CI=true` when there is none, so that a suite is never left out unseen.
 */
export function findNats(): FoundNats {
  found ??= look();
  if (found.missing !== undefined && process.env.CI === 'true') throw new Error(found.missing);
  return found;
}

function look(): FoundNats {
  const there = onPath();
  if (there !== undefined) return { path: there };
  const failure = install();
  const path = onPath();
  if (path !== undefined) return { path };
  return {
    missing: `nats-server is not on the PATH (${failure}): the suites of packages/nats that need a broker are left out`,
  };
}

function onPath(): string | undefined {
  // Debian keeps it among the system's programs, which are not on everybody's PATH.
  const folders = [...(process.env.PATH ?? '').split(delimiter), '/usr/sbin', '/usr/local/sbin'];
  return folders
    .filter((folder) => folder !== '')
    .map((folder) => join(folder, 'nats-server'))
    .find(isProgram);
}

function isProgram(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}

/** Why it could not be installed, or that it was. */
function install(): string {
  if (process.getuid?.() !== 0) return 'not root, so it can not be installed';
  if (!existsSync('/etc/debian_version')) return 'not Debian, so it is not known how to install it';
  try {
    execFileSync('apt-get', ['install', '-y', '--no-install-recommends', 'nats-server'], {
      stdio: 'ignore',
      timeout: installMsMax,
    });
    return 'installed, but still not found';
  } catch {
    return '`apt-get install -y nats-server` failed';
  }
}
