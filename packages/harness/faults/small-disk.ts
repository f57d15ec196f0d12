import { spawnSync } from 'node:child_process';
import { closeSync, mkdirSync, openSync, rmSync, statfsSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import type { Leftovers } from '../processes/leftovers.ts';

/*
 * A disk that gets full: a tmpfs of a few megabytes at a folder, on which whoever is to meet ENOSPC has its data. It is
 * filled to the last byte and freed again.
 */

export interface SmallDisk {
  readonly path: string;
  /** Takes all that is free but so many bytes: the next writes beyond them fail with ENOSPC. */
  fill(leaveBytes?: number): void;
  /** Gives it back. */
  free(): void;
  freeBytes(): number;
  /** Takes it away, with all that is on it. Whoever has files open there keeps them. */
  unmount(): void;
}

const pieceBytes = 256 * 1024;
const fillerName = '.keyswarm-filler';

/** Why there can be none here; undefined: there can. */
export function noSmallDisks(): string | undefined {
  if (process.platform !== 'linux') return 'tmpfs is of Linux';
  return process.getuid?.() === 0 ? undefined : 'not root, so nothing can be mounted';
}

export function mountSmallDisk(
  path: string,
  options: {
    readonly bytes: number;
    readonly leftovers: Leftovers;
    /** Whose it is. */
    readonly owner?: { readonly uid: number; readonly gid: number } | undefined;
  },
): SmallDisk {
  mkdirSync(path, { recursive: true });
  const { uid, gid } = options.owner ?? { uid: process.getuid?.() ?? 0, gid: process.getgid?.() ?? 0 };
  const settings = `size=${options.bytes},mode=0700,uid=${uid},gid=${gid}`;
  const { status, stderr } = spawnSync('mount', ['-t', 'tmpfs', '-o', settings, 'keyswarm', path], {
    encoding: 'utf8',
  });
  if (status !== 0) throw new Error(`no tmpfs at ${path}: ${stderr.trim()}`);
  options.leftovers.add('mount', path);
  const filler = join(path, fillerName);
  const freeBytes = (): number => {
    const { bavail, bsize } = statfsSync(path);
    return bavail * bsize;
  };
  return {
    path,
    freeBytes,
    fill: (leaveBytes = 0) => fillTo(filler, freeBytes() - leaveBytes),
    free: () => rmSync(filler, { force: true }),
    unmount() {
      const { status: ended, stderr: why } = spawnSync('umount', ['-l', path], { encoding: 'utf8' });
      if (ended !== 0) throw new Error(`${path} is not unmounted: ${why.trim()}`);
      options.leftovers.gone('mount', path);
    },
  };
}

function fillTo(filler: string, bytes: number): void {
  const file = openSync(filler, 'a', 0o600);
  try {
    let left = bytes;
    while (left > 0) left -= writeSync(file, Buffer.alloc(Math.min(left, pieceBytes)));
  } catch (error) {
    // Somebody else took the rest meanwhile: then it is full as well.
    if ((error as NodeJS.ErrnoException).code !== 'ENOSPC') throw error;
  } finally {
    closeSync(file);
  }
}
