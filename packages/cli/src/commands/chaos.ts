import type { Command } from 'commander';
import type { RunAction } from '../runner.ts';
import { runHarness } from './run-harness.ts';

/** The harness breaks a Keyswarm of its own: of a server that runs here it touches nothing. */
export function addChaosCommand(program: Command, action: RunAction): void {
  program
    .command('chaos')
    .description(
      'break a cluster of its own on purpose, and check every promise on what was seen; --list, --help',
    )
    .usage('[--scenario NAME]… [--seed N] [--minutes M] [--short] [--out DIR] [--markdown FILE.md]')
    .allowUnknownOption()
    .allowExcessArguments()
    .helpOption(false)
    .action(
      action((context, _options, { command }) =>
        runHarness({
          command: 'chaos',
          entry: '@keyswarm/harness/chaos',
          args: [...command.args, '--ends-with-parent'],
          env: context.variables,
          isHeld: true,
        }),
      ),
    );
}
