import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';

const launcher = fileURLToPath(new URL('../../cli/bin/keyswarm.mjs', import.meta.url));

export interface Running {
  readonly pid: number;
  /** Both streams, in the order in which they came. */
  output(): string;
  stdout(): string;
  readonly exited: Promise<number | null>;
  /** SIGTERM unless another is named; resolves with the exit code. */
  end(signal?: NodeJS.Signals): Promise<number | null>;
}

/** The command as it is typed, with no setting but those given: not even this process's own. */
export function runKeyswarm(
  args: readonly string[],
  env: Readonly<Record<string, string>> = {},
  cwd?: string,
): Running {
  const inherited = Object.entries(process.env).filter(([name]) => !name.startsWith('KEYSWARM_'));
  const child = spawn(process.execPath, [launcher, ...args], {
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { ...Object.fromEntries(inherited), NO_COLOR: '1', ...env },
    ...(cwd === undefined ? {} : { cwd }),
  });
  const seen = { output: '', stdout: '' };
  child.stdout.on('data', (chunk: Buffer) => {
    seen.output += chunk.toString();
    seen.stdout += chunk.toString();
  });
  child.stderr.on('data', (chunk: Buffer) => {
    seen.output += chunk.toString();
  });
  const exited = once(child, 'close').then(() => child.exitCode);
  return {
    pid: child.pid ?? 0,
    output: () => seen.output,
    stdout: () => seen.stdout,
    exited,
    end(signal = 'SIGTERM') {
      child.kill(signal);
      return exited;
    },
  };
}
