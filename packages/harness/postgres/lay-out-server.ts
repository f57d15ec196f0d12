import {
  constants,
  cpSync,
  existsSync,
  lchownSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
} from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { findBinaries } from './find-binaries.ts';
import type { RunUser } from './run-user.ts';

/** Where the parts of one server lie, all below one temporary folder. */
export interface ServerLayout {
  readonly root: string;
  readonly bin: string;
  readonly dataDir: string;
  /** Unix sockets and the log. */
  readonly runDir: string;
}

export function layoutBelow(root: string): ServerLayout {
  return {
    root,
    bin: join(root, 'native', 'bin'),
    dataDir: join(root, 'data'),
    runDir: join(root, 'run'),
  };
}

/**
 * Copies the binaries (60 MB, cloned where the file system can) to a folder that the server's user can read: a
 * checkout may lie in a home that it can't enter. The package's own install script, which makes the libraries'
 * short names, may not have run, so they are made here.
 */
export function layOutServer(layout: ServerLayout, user: RunUser | undefined): void {
  const { root } = layout;
  const native = findBinaries();
  cpSync(native, join(root, 'native'), {
    recursive: true,
    verbatimSymlinks: true,
    mode: constants.COPYFILE_FICLONE,
    filter: (path) => !path.endsWith('.a'),
  });
  linkLibraries(native, root);
  for (const folder of [layout.dataDir, layout.runDir]) mkdirSync(folder, { mode: 0o700 });
  if (user !== undefined) giveAway(root, user);
}

/** The whole tree: under a strict umask the copies would be readable to root alone. */
function giveAway(root: string, { uid, gid }: RunUser): void {
  lchownSync(root, uid, gid);
  for (const entry of readdirSync(root, { recursive: true, withFileTypes: true })) {
    lchownSync(join(entry.parentPath, entry.name), uid, gid);
  }
}

interface SymlinkRow {
  readonly source: string;
  readonly target: string;
}

/** The list names both sides from the package's root: `native/lib/libpq.so.5.18` → `native/lib/libpq.so.5`. */
function linkLibraries(native: string, root: string): void {
  const listPath = join(native, 'pg-symlinks.json');
  if (!existsSync(listPath)) return;
  const rows = JSON.parse(readFileSync(listPath, 'utf8')) as readonly SymlinkRow[];
  for (const { source, target } of rows) {
    if (dirname(source) !== dirname(target)) throw new Error(`a library's link leaves its folder: ${target}`);
    rmSync(join(root, target), { force: true });
    symlinkSync(basename(source), join(root, target));
  }
}
