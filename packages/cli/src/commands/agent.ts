import { type Credential, createClient, createCredential, isKeyswarmError } from '@keyswarm/sdk';
import type { Command } from 'commander';
import { parseSignal, runHook, signalByPidFile } from '../agent/after-change.ts';
import { Child, type Variables } from '../agent/child.ts';
import { formatProblem } from '../agent/format-problem.ts';
import { keepInFile } from '../agent/secret-file.ts';
import type { Context } from '../context.ts';
import { InputError } from '../input-error.ts';
import { printable } from '../io/table.ts';
import { parseDurationSeconds } from '../parse/duration.ts';
import type { RunAction } from '../runner.ts';

/*
 * Keeps the key in a file current for those who can't do it themselves. The file is read and written and nothing else
 * knows the secret: it is printed nowhere, and given to one process only, by its environment, if that is asked for.
 */

interface AgentOptions {
  readonly file: string;
  readonly pidFile?: string;
  readonly signal?: string;
  readonly exec?: string;
  readonly run?: true;
  readonly env: string;
  readonly poll: string;
  readonly stopAfter: string;
}

const hookMsMax = 60_000;

export function addAgentCommand(program: Command, action: RunAction): void {
  program
    .command('agent')
    .description('keep the key in a file current: renew it, replace it as a whole, tell who uses it')
    .argument('[command...]', 'with --run: the command, after --')
    .requiredOption('--file <path>', 'holds the key; replaced by one rename, readable by its owner only')
    .option('--pid-file <path>', 'after a change: send a signal to the process whose id is in this file')
    .option('--signal <name>', 'that signal; with --run, sent to the command in place of a restart')
    .option('--exec <command>', 'after a change: run this by the shell')
    .option('--run', 'run a command with the key in its environment; restart it after a change')
    .option('--env <name>', 'with --run: the variable that holds the key', 'KEYSWARM_SECRET')
    .option('--poll <duration>', 'how often to ask whether the key is to be renewed sooner', '60s')
    .option('--stop-after <duration>', 'with --run: how long the command may take to end', '10s')
    .action(
      action<AgentOptions>(async (context, options, { all }) => {
        const terms = termsOf(options, all);
        return runAgent(context, terms, await checkKey(context, options.file));
      }),
    );
}

interface AgentTerms {
  readonly file: string;
  readonly pollMs: number;
  readonly signal: NodeJS.Signals | undefined;
  readonly pidFile: string | undefined;
  readonly exec: string | undefined;
  readonly child: Child | undefined;
  readonly variable: string;
}

function termsOf(options: AgentOptions, [command, ...args]: readonly string[]): AgentTerms {
  const { file, pidFile, exec, run, env: variable } = options;
  const signal = options.signal === undefined ? undefined : parseSignal(options.signal, '--signal');
  if (run !== undefined && command === undefined)
    throw new InputError('--run', 'no command is given', '--run -- command and its arguments');
  if (run === undefined && command !== undefined)
    throw new InputError('--run', 'a command is given without it', '--run -- command and its arguments');
  if ((pidFile === undefined) !== (signal === undefined) && run === undefined)
    throw new InputError('--signal', 'a signal and who gets it go together', '--signal and --pid-file');
  if (!/^[A-Za-z_][A-Za-z0-9_]*$/.test(variable))
    throw new InputError('--env', `${JSON.stringify(variable)} is no name of a variable`, 'A-Z, 0-9 and _');
  const stopMs = parseDurationSeconds(options.stopAfter, '--stop-after') * 1000;
  const pollMs = Math.max(1, parseDurationSeconds(options.poll, '--poll')) * 1000;
  const child = command === undefined ? undefined : new Child({ command, args, stopMs });
  return { file, pollMs, signal, pidFile, exec, child, variable };
}

/**
 * The key's id; undefined while nobody can be asked. A key that the server refuses is told at once, and so is a file
 * without one; a server that is away may come back.
 */
async function checkKey(context: Context, file: string): Promise<string | undefined> {
  const secret = await keepInFile(file).load();
  if (secret === '') throw new InputError('--file', `the first line of ${file} is empty`, 'a key');
  try {
    const self = await createClient({ baseUrl: context.url, managementKey: secret }).call('getSelf', {});
    const { id, version, expires_at: end, renew_after: after } = self;
    context.terminal.say(
      `${id} version ${version}, ends ${end ?? 'never'}, renewed after ${after ?? 'somebody asks'}`,
    );
    return id;
  } catch (error) {
    if (error instanceof TypeError)
      throw new InputError('--file', `${file} holds no key`, 'a key on its first line');
    if (!isKeyswarmError(error) || !error.retryable) throw error;
    context.terminal.warn(`the server can not be asked at the moment: ${error.message}`);
    return undefined;
  }
}

async function runAgent(context: Context, terms: AgentTerms, keyId: string | undefined): Promise<number> {
  const { terminal, url: baseUrl } = context;
  const { child, file } = terms;
  let id = keyId;
  const credential = await createCredential({
    baseUrl,
    pollMs: terms.pollMs,
    ...keepInFile(file),
    onChange: ({ reason }) => {
      if (reason === 'reloaded') id = undefined;
      terminal.say(`${now()} ${id ?? 'the key'} of ${file} was ${reason}`);
      void tellUsers(context, terms, credential);
    },
    onProblem: (problem) => terminal.warn(printable(`${now()} ${formatProblem(problem, { file, id })}`)),
  });
  child?.start(variablesOf(context, terms, credential));
  const stop = whenTold(child);
  try {
    return await (child === undefined ? stop.told : child.ended);
  } finally {
    stop.forget();
    await credential.close();
  }
}

/** It runs for months, and what it says is kept beside what others say. */
const now = (): string => new Date().toISOString();

async function tellUsers(context: Context, terms: AgentTerms, credential: Credential): Promise<void> {
  const { child, signal, pidFile, exec } = terms;
  const attempt = async (what: string, act: () => void | Promise<void>) => {
    try {
      await act();
    } catch (error) {
      context.terminal.warn(`${what}: ${error instanceof Error ? error.message : 'it failed'}`);
    }
  };
  if (child !== undefined) {
    if (signal === undefined) child.restart(variablesOf(context, terms, credential));
    else if (pidFile === undefined) child.signal(signal);
  }
  if (pidFile !== undefined && signal !== undefined)
    await attempt('--pid-file', () => signalByPidFile(pidFile, signal));
  if (exec !== undefined) await attempt('--exec', () => runHook(exec, hookMsMax));
}

function variablesOf(context: Context, { variable }: AgentTerms, credential: Credential): Variables {
  return { ...context.variables, [variable]: credential.current.reveal() };
}

const endings = { SIGTERM: 0, SIGINT: 130 } as const;
const passedOn = ['SIGHUP', 'SIGUSR1', 'SIGUSR2'] as const;

/** A command that runs gets every signal, and says by its own end how this one ends. */
function whenTold(child: Child | undefined) {
  const { promise: told, resolve } = Promise.withResolvers<number>();
  const handlers = new Map<NodeJS.Signals, () => void>();
  for (const [name, code] of Object.entries(endings)) {
    handlers.set(name as NodeJS.Signals, () => {
      child?.end(name as NodeJS.Signals);
      resolve(code);
    });
  }
  if (child !== undefined) for (const name of passedOn) handlers.set(name, () => child.signal(name));
  for (const [name, act] of handlers) process.on(name, act);
  return {
    told,
    forget() {
      for (const [name, act] of handlers) process.removeListener(name, act);
    },
  };
}
