import type { Command } from 'commander';
import { InputError } from '../input-error.ts';
import { emit } from '../io/emit.ts';
import { parseServerFlags } from '../parse/server-flags.ts';
import type { RunAction } from '../runner.ts';
import { takesServerFlags } from './start.ts';

export function addFeedCommands(feed: Command, action: RunAction): void {
  takesServerFlags(
    feed.command('new-epoch'),
    '--database-url postgres://…, or --data-dir; as for `keyswarm start`.',
  )
    .description(
      'begin a new epoch in the store itself: after a restore or a failover that may have lost commits, before the first write',
    )
    .option('--yes', 'this store was restored, or may have lost commits: every verifier shall load it anew')
    .action(
      action<{ readonly yes?: boolean }>(async (context, { yes }, { command }) => {
        if (yes !== true) {
          throw new InputError(
            '--yes',
            'is missing',
            '--yes, once you are sure: every verifier loads the store anew',
          );
        }
        const flags = parseServerFlags(command.args);
        const { beginNewEpoch } = await import('@keyswarm/server/start');
        const epoch = await beginNewEpoch(flags);
        await emit(context, { epoch }, () => `epoch ${epoch}`);
        return 0;
      }),
    );
}
