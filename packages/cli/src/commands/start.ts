import type { Command } from 'commander';
import { InputError } from '../input-error.ts';
import { parseServerFlags } from '../parse/server-flags.ts';
import type { RunAction } from '../runner.ts';

export function addStartCommand(program: Command, action: RunAction): void {
  takesServerFlags(program.command('start'))
    .description(
      'start a server in this process, with its settings as flags; Ctrl-C or SIGTERM drains and ends it',
    )
    .action(
      action(async (_context, _options, { command }) => {
        const flags = parseServerFlags(command.args);
        // Loaded here, because a store and a web server are a lot to load for every other command.
        const { runServer } = await import('@keyswarm/server/start');
        await runServer(flags).catch(explainTaken);
        return 0;
      }),
    );
}

/** Lets a command take the server's settings as flags, whatever they are called. */
export function takesServerFlags(
  command: Command,
  which = '--port 7071, --data-dir data …; `keyswarm config explain` lists them all.',
): Command {
  return command
    .usage('[--setting value...]')
    .allowUnknownOption()
    .allowExcessArguments()
    .addHelpText('after', `\nSettings: ${which}`);
}

export function explainTaken(error: unknown): never {
  if (error instanceof Error && 'code' in error && error.code === 'EADDRINUSE') {
    const taken = 'port' in error ? ` on ${error.port}` : '';
    throw new InputError('port', `another process listens${taken}`, 'a free port: --port, or KEYSWARM_PORT');
  }
  throw error;
}
