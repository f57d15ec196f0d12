import { spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { constants } from 'node:os';
import { InputError } from '../input-error.ts';

/* What is done for those who read the file, once a new secret is in it. Nothing of it is told the secret. */

/** `HUP` or `SIGHUP`. */
export function parseSignal(text: string, field: string): NodeJS.Signals {
  const name = `SIG${text.toUpperCase().replace(/^SIG/, '')}`;
  if (name in constants.signals && name !== 'SIGKILL' && name !== 'SIGSTOP') return name as NodeJS.Signals;
  throw new InputError(field, `${JSON.stringify(text)} is no signal`, 'a signal such as HUP or USR1');
}

/** Throws with what is wrong, to be told: a process that is being restarted at the moment reads the new one anyway. */
export function signalByPidFile(path: string, signal: NodeJS.Signals): void {
  const text = readFileSync(path, 'utf8').trim();
  const pid = Number(text);
  // 0 and below would reach whole groups of processes.
  if (!/^[1-9]\d{0,9}$/.test(text) || pid === 1) throw new Error(`${path} holds no process id`);
  process.kill(pid, signal);
}

/** Runs it by the shell to its end; throws when it fails or takes too long. */
export async function runHook(command: string, timeoutMs: number): Promise<void> {
  const child = spawn(command, { shell: true, stdio: ['ignore', 'inherit', 'inherit'], timeout: timeoutMs });
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  child.once('error', reject);
  child.once('exit', (code, signal) => {
    if (code === 0) resolve();
    else reject(new Error(`the command ended with ${signal ?? `exit code ${code}`}`));
  });
  await promise;
}
