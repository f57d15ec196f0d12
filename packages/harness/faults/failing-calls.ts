import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { findProgram } from '../processes/find-program.ts';
import { treeOf } from '../processes/process-tree.ts';

/*
 * System calls that fail in a process that runs: strace sits between it and the kernel, and answers for the disk. A
 * `fsync` that says EIO is what a dying disk says; what a database must do then is not to try again, since the kernel has
 * thrown the pages away (PostgreSQL panics and recovers from its log).
 *
 *   const fault = await failCalls(postmasterPid, { calls: ['fsync', 'fdatasync'], error: 'EIO' });
 *   fault.injected();  …  await fault.heal();
 */

export interface CallFault {
  readonly calls: readonly string[];
  readonly error: 'EIO' | 'ENOSPC' | 'EDQUOT' | 'EROFS';
  /** The first of each process's calls that fails; all from the first on when absent. */
  readonly from?: number | undefined;
  /** Only this one and none after it. */
  readonly isOnce?: boolean | undefined;
}

export interface FailingCalls {
  /** Calls that were made to fail so far. */
  injected(): number;
  /** Lets go of the processes, which go on. */
  heal(): Promise<void>;
}

export function noFailingCalls(): string | undefined {
  return found().missing;
}

/** For a process and all that descend from it, those that are born later too. Resolves when strace holds them. */
export async function failCalls(pid: number, fault: CallFault): Promise<FailingCalls> {
  const { path, missing } = found();
  if (path === undefined) throw new Error(missing);
  const calls = fault.calls.join(',');
  const when =
    fault.from === undefined && fault.isOnce !== true
      ? ''
      : `:when=${fault.from ?? 1}${fault.isOnce === true ? '' : '+'}`;
  const pids = treeOf(pid);
  const child = spawn(
    path,
    [
      '-f',
      ...pids.flatMap((one) => ['-p', String(one)]),
      '-e',
      `trace=${calls}`,
      '-e',
      `inject=${calls}:error=${fault.error}${when}`,
    ],
    // It begins its own lines with the name that it was called by.
    { argv0: 'strace', stdio: ['ignore', 'ignore', 'pipe'], detached: true },
  );
  let injected = 0;
  let told = '';
  const attached = Promise.withResolvers<void>();
  let holds = 0;
  child.stderr.on('data', (chunk: Buffer) => {
    const lines = (told + chunk.toString()).split('\n');
    told = lines.pop() ?? '';
    for (const line of lines) {
      if (line.includes('(INJECTED)')) injected += 1;
      else if (/^strace: Process \d+ attached/.test(line)) holds += 1;
      // One that ended between the list and the hold is none to wait for.
      else if (/^strace: attach: .*No such process/.test(line)) holds += 1;
      else if (/^strace: (?!Process)/.test(line)) attached.reject(new Error(line));
    }
    if (holds >= pids.length) attached.resolve();
  });
  const exited = once(child, 'exit');
  void exited.then(() => attached.reject(new Error('strace ended before it held anything')));
  attached.promise.catch(() => undefined);
  await attached.promise;
  return {
    injected: () => injected,
    async heal() {
      // It lets go of whom it holds before it ends. Killed, it would leave them to the kernel, which does the same.
      if (child.exitCode === null && child.signalCode === null) {
        child.kill('SIGINT');
        await exited;
      }
    },
  };
}

function found() {
  return findProgram({
    name: 'strace',
    debianPackage: 'strace',
    leftOut: 'what is shown of disks that fail',
  });
}
