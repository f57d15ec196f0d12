import type { Command } from 'commander';
import type { RunAction } from '../runner.ts';
import { runHarness } from './run-harness.ts';

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
        const env = { ...context.variables, ...key };
        return await runHarness({ command: 'bench', entry: '@keyswarm/harness/bench', args, env });
      }),
    );
}
