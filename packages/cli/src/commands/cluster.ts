import type { Command } from 'commander';
import type { RunAction } from '../runner.ts';
import { runHarness } from './run-harness.ts';

export function addClusterCommand(program: Command, action: RunAction): void {
  program
    .command('cluster')
    .description(
      'start a whole deployment on this machine, to try faults on: a database with a standby, servers, a relay, verifiers, brokers and a balancer; Ctrl-C ends and removes it',
    )
    .usage('up [--short] [--dir DIR] [--ports FROM] [--keys N]')
    .allowUnknownOption()
    .allowExcessArguments()
    .helpOption(false)
    .action(
      action((context, _options, { command }) =>
        runHarness({
          command: 'cluster',
          entry: '@keyswarm/harness/cluster-up',
          args: [...command.args, '--ends-with-parent'],
          env: context.variables,
          isHeld: true,
        }),
      ),
    );
}
