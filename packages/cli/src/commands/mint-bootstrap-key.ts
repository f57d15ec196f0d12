import { randomBytes } from 'node:crypto';
import { builtinPrefix, mintKeyString } from '@keyswarm/core';
import type { Command } from 'commander';
import { emit } from '../io/emit.ts';
import type { RunAction } from '../runner.ts';

export function addMintBootstrapKeyCommand(program: Command, action: RunAction): void {
  program
    .command('mint-bootstrap-key')
    .description(
      'make a management key offline, for KEYSWARM_BOOTSTRAP_KEY of a server that has not started yet',
    )
    .action(
      action(async (context) => {
        const secret = mintKeyString(builtinPrefix, (bytes) => randomBytes(bytes));
        await emit(context, { secret }, (minted) => minted.secret);
        context.terminal.say(
          'give it to the server as KEYSWARM_BOOTSTRAP_KEY and to clients as KEYSWARM_KEY',
        );
        return 0;
      }),
    );
}
