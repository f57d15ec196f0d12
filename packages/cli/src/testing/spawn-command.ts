import { type ChildProcess, type ChildProcessWithoutNullStreams, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';

export const launcher = fileURLToPath(new URL('../../bin/keyswarm.mjs', import.meta.url));

export interface CommandResult {
  readonly stdout: string;
  readonly stderr: string;
  readonly code: number | null;
}

export interface RunningCommand {
  readonly child: ChildProcessWithoutNullStreams;
  /** The first lines of stdout, as they come. */
  lines(count: number): Promise<readonly string[]>;
  readonly ended: Promise<CommandResult>;
}

export type Variables = Readonly<Record<string, string>>;

/** The real command in a process of its own, with no variable of this one but PATH. */
export function spawnCommand(
  args: readonly string[],
  options: {
    readonly variables?: Variables;
    readonly nodeFlags?: readonly string[];
    readonly stdin?: string;
  } = {},
): RunningCommand {
  const child = spawn(process.execPath, [...(options.nodeFlags ?? []), launcher, ...args], {
    env: { PATH: process.env.PATH ?? '', ...options.variables },
    stdio: 'pipe',
  });
  let stdout = '';
  let stderr = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    stdout += text;
  });
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    stderr += text;
  });
  child.stdin.on('error', () => {});
  child.stdin.end(options.stdin ?? '');
  const ended = once(child, 'close').then(() => ({ stdout, stderr, code: child.exitCode }));
  return {
    child,
    ended,
    async lines(count) {
      while (stdout.split('\n').length <= count) {
        const first = await Promise.race([once(child.stdout, 'data'), ended]);
        if (!Array.isArray(first)) throw new Error(`it ended early: ${JSON.stringify(first)}`);
      }
      return stdout.split('\n').slice(0, count);
    },
  };
}

export interface CommandServer {
  readonly url: string;
  readonly child: ChildProcess;
  readonly ended: Promise<CommandResult>;
}

/** `keyswarm start` on a port of its own choice; resolves when it says that it listens. */
export async function startServerCommand(
  dataDir: string,
  options: {
    readonly variables?: Variables;
    readonly nodeFlags?: readonly string[];
    /** One that was free a moment ago; absent: the server's own choice, with which it signs no tokens. */
    readonly port?: number;
  } = {},
): Promise<CommandServer> {
  const { child, ended } = spawnCommand(
    ['start', '--port', String(options.port ?? 0), '--data-dir', dataDir],
    options,
  );
  const url = await new Promise<string>((resolve, reject) => {
    createInterface({ input: child.stdout }).on('line', (line) => {
      const found = line.includes('"listening"') ? /"url":"([^"]+)"/.exec(line)?.[1] : undefined;
      if (found !== undefined) resolve(found);
    });
    void ended.then((result) => reject(new Error(`it ended before it listened: ${JSON.stringify(result)}`)));
  });
  // Once it has answered, it also listens to signals.
  await fetch(`${url}/healthz`);
  return { url, child, ended };
}
