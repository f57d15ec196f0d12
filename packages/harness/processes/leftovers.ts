import { spawn } from 'node:child_process';
import { mkdtempSync, realpathSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Writable } from 'node:stream';
import { fileURLToPath } from 'node:url';
import { factsOf } from './process-tree.ts';

/*
 * What would be left behind if this process were killed now: processes, mounts, network namespaces, folders. A child at
 * the other end of a pipe knows the list, and clears it when the pipe closes without a good end. Nothing is written
 * down and nothing is looked for by name: only what was told is ended, and a process only if it is still the same one.
 *
 *   const leftovers = new Leftovers();
 *   const folder = leftovers.folder('keyswarm-cluster-');
 *   leftovers.add('group', child.pid);  …  leftovers.gone('group', child.pid);
 *   leftovers.done();                   // all is ended and removed: nothing is left to watch
 */

/** `group`: a process group with its leader's pid; `postmaster`: the same of PostgreSQL, which is asked first. */
export type LeftoverKind = 'group' | 'postmaster' | 'mount' | 'namespace' | 'folder';

export class Leftovers {
  readonly #pipe: Writable;

  constructor() {
    const child = spawn(process.execPath, [fileURLToPath(new URL('./leftovers.mjs', import.meta.url))], {
      // A session of its own, so that a Ctrl-C at the terminal or the end of a process group doesn't reach it.
      detached: true,
      stdio: ['pipe', 'ignore', 'ignore'],
      env: { PATH: process.env.PATH ?? '/usr/sbin:/usr/bin:/sbin:/bin' },
      cwd: '/',
    });
    child.unref();
    this.#pipe = child.stdin;
    this.#pipe.on('error', () => undefined);
    if ('unref' in this.#pipe && typeof this.#pipe.unref === 'function') this.#pipe.unref();
  }

  add(kind: LeftoverKind, of: number | string): void {
    const since = typeof of === 'number' ? { since: factsOf(of)?.since } : {};
    this.#tell({ op: 'add', kind, of: String(of), ...since });
  }

  gone(kind: LeftoverKind, of: number | string): void {
    this.#tell({ op: 'gone', kind, of: String(of) });
  }

  /** Makes a folder below the system's temporary one, and has it removed whatever happens. */
  folder(prefix: string): string {
    const path = mkdtempSync(join(realpathSync(tmpdir()), prefix));
    this.add('folder', path);
    return path;
  }

  removeFolder(path: string): void {
    rmSync(path, { recursive: true, force: true, maxRetries: 20, retryDelay: 50 });
    this.gone('folder', path);
  }

  done(): void {
    this.#tell({ op: 'done' });
    this.#pipe.end();
  }

  #tell(what: Readonly<Record<string, unknown>>): void {
    if (!this.#pipe.writableEnded) this.#pipe.write(`${JSON.stringify(what)}\n`);
  }
}
