import type { Introspection, TokenGrant } from '@keyswarm/contract';
import { createClient } from '@keyswarm/sdk';
import type { Command } from 'commander';
import type { Context } from '../context.ts';
import { InputError } from '../input-error.ts';
import { emit } from '../io/emit.ts';
import { readSecret } from '../io/read-secret.ts';
import { formatFields } from '../io/table.ts';
import { parseDurationSeconds } from '../parse/duration.ts';
import type { RunAction } from '../runner.ts';
import { given } from './given.ts';
import { collect } from './list-options.ts';

interface SourceOptions {
  readonly fromFile?: string;
  readonly fromEnv?: string;
}

interface ExchangeOptions extends SourceOptions {
  readonly scope?: readonly string[];
  readonly ttl?: string;
  readonly audience?: string;
}

/** As of a key that is not valid: an answer and not an error. */
const exitNotActive = 1;

export function addTokenCommands(token: Command, action: RunAction): void {
  withSource(
    token
      .command('exchange')
      .description('derive a narrower, shorter token from a key or token; needs no management key'),
  )
    .option('--scope <scope>', 'fewer scopes than it has; may be repeated', collect)
    .option('--ttl <duration>', 'how long it lives, such as 5m; no longer than the keyspace allows')
    .option('--audience <keyspace>', 'the keyspace that it has to be for, by name or id')
    .action(
      action<ExchangeOptions>(async (context, options, { all }) => {
        const subject = await secretIn(context, options, all[0]);
        const { scope, ttl } = options;
        const grant = await clientWith(context.url, subject).tokens.exchange({
          subject_token: subject,
          ...given('scopes', scope),
          ...given('expires_in', ttl === undefined ? undefined : parseDurationSeconds(ttl, '--ttl')),
          ...given('audience', options.audience),
        });
        await emit<TokenGrant>(context, grant, formatGrant);
        return 0;
      }),
    );

  withSource(
    token
      .command('introspect')
      .description('ask whether a key or token is good now (RFC 7662); exit code 0 if it is, 1 if it is not'),
  ).action(
    action<SourceOptions>(async (context, options, { all }) => {
      const secret = await secretIn(context, options, all[0]);
      const said = await context.client().tokens.introspect(secret);
      await emit<Introspection>(context, said, formatIntrospection);
      return said.active ? 0 : exitNotActive;
    }),
  );
}

function withSource(command: Command): Command {
  return command
    .argument('[key]', '- reads stdin; without it, asks, or reads stdin when that is no terminal')
    .option('--from-file <path>', 'read the key or token from the first line of a file')
    .option('--from-env <name>', 'read the key or token from a variable');
}

function secretIn(
  context: Context,
  { fromFile: file, fromEnv: variable }: SourceOptions,
  argument: string | undefined,
) {
  return readSecret({ argument, file, variable }, context);
}

/** The key is all that is needed; it stands in the form and in no header. */
function clientWith(baseUrl: string, managementKey: Awaited<ReturnType<typeof readSecret>>) {
  try {
    return createClient({ baseUrl, managementKey });
  } catch (error) {
    if (!(error instanceof TypeError)) throw error;
    throw new InputError('KEY', 'it can not be a key or token', 'printable ASCII characters without blanks');
  }
}

function formatGrant({ access_token: token, expires_in: seconds, scope }: TokenGrant): string {
  return formatFields({ token, 'expires in': `${seconds} s`, scopes: scope ?? '' });
}

function formatIntrospection(said: Introspection): string {
  return formatFields({
    active: String(said.active),
    key: said.client_id,
    owner: said.sub,
    keyspace: said.aud,
    scopes: said.scope,
    expires: said.exp === undefined ? undefined : new Date(said.exp * 1000).toISOString(),
  });
}
