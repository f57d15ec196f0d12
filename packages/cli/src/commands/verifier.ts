import type { Command } from 'commander';
import { parseServerFlags } from '../parse/server-flags.ts';
import type { RunAction } from '../runner.ts';
import { explainTaken, takesServerFlags } from './start.ts';

export function addVerifierCommand(program: Command, action: RunAction): void {
  takesServerFlags(
    program.command('verifier'),
    `--relay https://keyswarm.internal:7070 (again for a second one), --port 7071, --forward-auth orders-live …;
\`keyswarm config explain --verifier\` lists them all. Its credential is in KEYSWARM_VERIFIER_KEY, or in the file that
KEYSWARM_VERIFIER_KEY_FILE names: a management key with the scopes feed:read and feed:read:keyswarm.

It goes on when its relays are away or refuse the credential: /readyz says so, and so does the log. Exit codes: 0 after
SIGTERM or Ctrl-C, 2 for settings that can not be meant, 1 for a fault of its own.`,
  )
    .description('start a verify-only node in this process: it answers from memory and has no database')
    .action(
      action(async (_context, _options, { command }) => {
        const flags = parseServerFlags(command.args);
        // Loaded here, as the server is: a web server is a lot to load for every other command.
        const { runVerifyNode } = await import('@keyswarm/server/verifier');
        await runVerifyNode(flags).catch(explainTaken);
        return 0;
      }),
    );
}
