import { flushCompileCache } from 'node:module';
import type { Command } from 'commander';
import type { Context } from '../context.ts';
import { InputError } from '../input-error.ts';
import { parseServerFlags, type ServerFlags } from '../parse/server-flags.ts';
import type { RunAction } from '../runner.ts';

export function addStartCommand(program: Command, action: RunAction): void {
  takesServerFlags(program.command('start'))
    .description(
      'start a server in this process, with its settings as flags; Ctrl-C or SIGTERM drains and ends it. With --demo: in a temporary folder, with a swarm that shows in two minutes what it promises',
    )
    .action(
      action(async (context, _options, { command }) => {
        const { demo, ...flags } = parseServerFlags(command.args);
        // Loaded here, because a store and a web server are a lot to load for every other command.
        const server = await import('@keyswarm/server/start');
        if (demo === undefined) await server.runServer(flags).catch(explainTaken);
        else await runDemo(server, flags, context);
        // Kept for the next start now, for a server that is killed keeps nothing.
        flushCompileCache();
        return 0;
      }),
    );
}

/** A server with a store that nobody needs, and a swarm that shows what it promises. */
async function runDemo(
  { runServer, loadProcessConfig, mintBootstrapKey, systemRandom }: typeof import('@keyswarm/server/start'),
  flags: ServerFlags,
  { variables, stdout }: Context,
): Promise<void> {
  const { Demo, demoBlock } = await import('../demo/start-demo.ts');
  const { choosePort } = await import('../demo/choose-port.ts');
  const demo = new Demo(flags, variables, mintBootstrapKey(systemRandom).reveal());
  const onListening = (url: string): void => {
    stdout.write(demoBlock(demo.signInUrl(url)));
    demo.begin(url);
  };
  const isPortNamed = flags.port !== undefined || (variables.KEYSWARM_PORT ?? '') !== '';
  const place = isPortNamed ? {} : { port: String(await choosePort(loadProcessConfig(demo.flags).config)) };
  await runServer({ ...demo.flags, ...place }, undefined, { demo, onListening }).catch(explainTaken);
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
    const what =
      'holder' in error
        ? `another process has been starting${taken} for too long: it holds ${error.holder} (\`ss -xlp\` tells which)`
        : `another process listens${taken}`;
    throw new InputError('port', what, 'a free port: --port, or KEYSWARM_PORT');
  }
  throw error;
}
