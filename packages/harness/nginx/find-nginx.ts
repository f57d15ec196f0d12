import { execFileSync, spawnSync } from 'node:child_process';
import { accessSync, constants, existsSync } from 'node:fs';
import { delimiter, join } from 'node:path';

/** The program, or why there is none: a suite says which it is, and under CI a missing one is a failure. */
export type FoundNginx =
  | { readonly path: string; readonly missing?: undefined }
  | { readonly path?: undefined; readonly missing: string };

const installMsMax = 120_000;
/** With `auth_request`, without which there is nothing to test. */
const needed = 'http_auth_request_module';

let found: FoundNginx | undefined;

/**
 * `nginx` from the PATH; where this is root's Debian, installed with its own package manager. Looked for once a
 * process. Throws under `CI=true` when there is none, so that a suite is never left out unseen.
 */
export function findNginx(): FoundNginx {
  found ??= look();
  if (found.missing !== undefined && process.env.CI === 'true') throw new Error(found.missing);
  return found;
}

function look(): FoundNginx {
  const there = onPath();
  if (there !== undefined) return { path: there };
  const failure = install();
  const path = onPath();
  if (path !== undefined) return { path };
  return { missing: `no nginx with ${needed} is on the PATH (${failure}): its suite is left out` };
}

function onPath(): string | undefined {
  // Debian keeps it among the system's programs, which are not on everybody's PATH.
  const folders = [...(process.env.PATH ?? '').split(delimiter), '/usr/sbin', '/usr/local/sbin'];
  return folders
    .filter((folder) => folder !== '')
    .map((folder) => join(folder, 'nginx'))
    .find((path) => isProgram(path) && canAsk(path));
}

function isProgram(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}

/** It says how it was built on stderr. */
function canAsk(path: string): boolean {
  return spawnSync(path, ['-V'], { encoding: 'utf8' }).stderr.includes(needed);
}

/** Why it could not be installed, or that it was. */
function install(): string {
  if (process.getuid?.() !== 0) return 'not root, so it can not be installed';
  if (!existsSync('/etc/debian_version')) return 'not Debian, so it is not known how to install it';
  try {
    execFileSync('apt-get', ['install', '-y', '--no-install-recommends', 'nginx-light'], {
      stdio: 'ignore',
      timeout: installMsMax,
    });
    return 'installed, but still not found';
  } catch {
    return '`apt-get install -y nginx-light` failed';
  }
}
