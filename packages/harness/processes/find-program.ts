import { execFileSync } from 'node:child_process';
import { accessSync, constants, existsSync } from 'node:fs';
import { delimiter, join } from 'node:path';

/** The program, or why there is none: a suite says which it is, and under CI a missing one is a failure. */
export type FoundProgram =
  | { readonly path: string; readonly missing?: undefined }
  | { readonly path?: undefined; readonly missing: string };

export interface WantedProgram {
  readonly name: string;
  /** Debian's package that has it. */
  readonly debianPackage: string;
  /** Which suites are left out without it. */
  readonly leftOut: string;
  /** Is the one that was found fit for use? */
  readonly isFit?: (path: string) => boolean;
}

const installMsMax = 120_000;
const found = new Map<string, FoundProgram>();

/**
 * A program from the PATH; where this is root's Debian, installed with its own package manager. Looked for once a
 * process. Throws under `CI=true` when there is none, so that a suite is never left out unseen.
 */
export function findProgram(wanted: WantedProgram): FoundProgram {
  const known = found.get(wanted.name) ?? look(wanted);
  found.set(wanted.name, known);
  if (known.missing !== undefined && process.env.CI === 'true') throw new Error(known.missing);
  return known;
}

function look(wanted: WantedProgram): FoundProgram {
  const there = onPath(wanted);
  if (there !== undefined) return { path: there };
  const failure = install(wanted.debianPackage);
  const path = onPath(wanted);
  if (path !== undefined) return { path };
  return {
    missing:
      `${wanted.name} is not on the PATH (${failure}); \`apt-get install ${wanted.debianPackage}\` brings it. ` +
      `Left out are ${wanted.leftOut}`,
  };
}

function onPath({ name, isFit = () => true }: WantedProgram): string | undefined {
  // Debian keeps servers among the system's programs, which are not on everybody's PATH.
  const folders = [...(process.env.PATH ?? '').split(delimiter), '/usr/sbin', '/usr/local/sbin'];
  return folders
    .filter((folder) => folder !== '')
    .map((folder) => join(folder, name))
    .find((path) => isProgram(path) && isFit(path));
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
function install(debianPackage: string): string {
  if (process.getuid?.() !== 0) return 'not root, so it can not be installed';
  if (!existsSync('/etc/debian_version')) return 'not Debian, so it is not known how to install it';
  const asked = ['install', '-y', '--no-install-recommends', debianPackage];
  // A fresh machine has no lists of packages yet, and an old one has lists of packages that are gone.
  for (const before of [[], ['update']]) {
    try {
      if (before.length > 0) aptGet(before);
      aptGet(asked);
      return 'installed, but still not found';
    } catch {
      // Then once more, with fresh lists; after that it is said below.
    }
  }
  return `\`apt-get install -y ${debianPackage}\` failed`;
}

function aptGet(args: readonly string[]): void {
  const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive' };
  execFileSync('apt-get', [...args], { stdio: 'ignore', timeout: installMsMax, env });
}
