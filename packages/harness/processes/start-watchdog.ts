import { spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';

export interface Watchdog {
  /** All has been stopped and removed in good order: nothing is left to watch. */
  dismiss(): void;
}

/** Has this script clean up below a folder when this process can't do so itself. */
export function startWatchdog(script: URL, root: string): Watchdog {
  const child = spawn(process.execPath, [fileURLToPath(script), root], {
    // A session of its own, so that a Ctrl-C at the terminal or the end of a process group doesn't reach it.
    detached: true,
    stdio: ['pipe', 'ignore', 'ignore'],
    env: {},
    cwd: '/',
  });
  child.unref();
  const pipe = child.stdin;
  pipe.on('error', () => undefined);
  if ('unref' in pipe && typeof pipe.unref === 'function') pipe.unref();
  return { dismiss: () => void pipe.end('done') };
}
