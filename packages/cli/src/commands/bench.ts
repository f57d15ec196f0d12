import { spawn } from 'node:child_process';
import { constants } from 'node:os';
import { fileURLToPath } from 'node:url';
import type { Command } from 'commander';
import { InputError } from '../input-error.ts';
import type { RunAction } from '../runner.ts';

/** The harness has a bench, and is not something that the command can do without a checkout of the repository. */
export function addBenchCommand(program: Command, action: RunAction): void {
  program
    .command('bench')
    .description(
      'measure at traffic levels: servers of its own, or with --url the one that runs there; --quick for a first look',
    )
    .usage('[options] | compare BEFORE.json AFTER.json')
    .allowUnknownOption()
    .allowExcessArguments()
    .helpOption(false)
    .action(
      action(async (context, _options, { command }) => {
        const { url } = command.optsWithGlobals<{ readonly url?: string }>();
        const args = [...(url === undefined ? [] : ['--url', url]), ...command.args];
        const key = url === undefined ? {} : { KEYSWARM_KEY: context.managementKey().reveal() };
        return await runBench(args, { ...context.variables, ...key });
      }),
    );
}

/** In a process of its own: what it measures with must not share one with whoever asked. */
function runBench(
  args: readonly string[],
  env: Readonly<Record<string, string | undefined>>,
): Promise<number> {
  const child = spawn(process.execPath, [benchEntry(), ...args], { stdio: 'inherit', env });
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

function benchEntry(): string {
  try {
    return fileURLToPath(import.meta.resolve('@keyswarm/harness/bench'));
  } catch {
    throw new InputError(
      'bench',
      'the harness is not installed here',
      'a checkout of the repository, in which `npm ci` was run',
    );
  }
}
