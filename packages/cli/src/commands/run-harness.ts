import { spawn } from 'node:child_process';
import { constants } from 'node:os';
import { fileURLToPath } from 'node:url';
import type { Command } from 'commander';
import { InputError } from '../input-error.ts';
import type { RunAction } from '../runner.ts';

export interface HarnessRun {
  /** The command, for messages. */
  readonly command: string;
  /** As the harness exports it: `@keyswarm/harness/…`. */
  readonly entry: string;
  readonly args: readonly string[];
  readonly env: Readonly<Record<string, string | undefined>>;
  /** True: its standard input is a pipe that closes with this process, however that ends. */
  readonly isHeld?: boolean;
}

/** What starts servers of its own: all that was typed is the harness's to read, and it ends when this process does. */
export function addHeldCommand(
  program: Command,
  action: RunAction,
  { name, entry, description, usage }: Readonly<Record<'name' | 'entry' | 'description' | 'usage', string>>,
): void {
  program
    .command(name)
    .description(description)
    .usage(usage)
    .allowUnknownOption()
    .allowExcessArguments()
    .helpOption(false)
    .action(
      action((context, _options, { command }) => {
        const args = [...command.args, '--ends-with-parent'];
        return runHarness({ command: name, entry, args, env: context.variables, isHeld: true });
      }),
    );
}

/**
 * Runs a part of the harness in a process of its own, and ends as it does: what it measures with, and what it starts, must
 * not share one with whoever asked. The harness is not something that the command can do without a checkout of the
 * repository.
 */
export function runHarness({ command, entry, args, env, isHeld = false }: HarnessRun): Promise<number> {
  const child = spawn(process.execPath, [pathOf(command, entry), ...args], {
    stdio: [isHeld ? 'pipe' : 'inherit', 'inherit', 'inherit'],
    env,
  });
  child.stdin?.on('error', () => {});
  // A terminal sends Ctrl-C to both. It ends what it has started and says why.
  const pass = (): void => void child.kill('SIGTERM');
  const ignore = (): void => {};
  process.on('SIGTERM', pass).on('SIGINT', ignore);
  const ended = new Promise<number>((resolve, reject) => {
    child.on('error', reject);
    child.on('exit', (code, signal) =>
      resolve(code ?? 128 + (signal === null ? 0 : constants.signals[signal])),
    );
  });
  return ended.finally(() => process.off('SIGTERM', pass).off('SIGINT', ignore));
}

function pathOf(command: string, entry: string): string {
  try {
    return fileURLToPath(import.meta.resolve(entry));
  } catch {
    throw new InputError(
      command,
      'the harness is not installed here',
      'a checkout of the repository, in which `npm ci` was run',
    );
  }
}
