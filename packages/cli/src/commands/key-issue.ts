import type { ApprovalChanged, KeyIssue, KeyIssued, KeyIssuedBulk } from '@keyswarm/contract';
import { KeyswarmError } from '@keyswarm/sdk';
import type { Command } from 'commander';
import { type RecordSink, sinkToFile, sinkToTerminal } from '../bulk/record-sink.ts';
import { runBulk } from '../bulk/run-bulk.ts';
import type { Context } from '../context.ts';
import { InputError } from '../input-error.ts';
import { emit } from '../io/emit.ts';
import { formatFields } from '../io/table.ts';
import { parseDurationSeconds } from '../parse/duration.ts';
import { parseInstant } from '../parse/instant.ts';
import { parseNamedValues } from '../parse/named-values.ts';
import { parseOwnerName } from '../parse/owner-name.ts';
import { parseWholeNumber } from '../parse/whole-number.ts';
import type { RunAction } from '../runner.ts';
import { formatApproval } from './approval-fields.ts';
import { given } from './given.ts';
import { collect } from './list-options.ts';

interface IssueOptions {
  readonly keyspace: string;
  readonly owner: string;
  readonly scope?: readonly string[];
  readonly name?: string;
  readonly ttl?: string;
  readonly expiresAt?: string;
  readonly notBefore?: string;
  readonly metadata?: readonly string[];
  readonly count?: string;
  readonly out?: string;
  readonly requestApproval?: true;
  readonly reason?: string;
}

const countMax = 10_000_000;

export function addKeyIssueCommand(key: Command, action: RunAction): void {
  key
    .command('issue')
    .description('issue a key, or many with --count; secrets are shown once')
    .requiredOption('--keyspace <keyspace>', 'name or id')
    .requiredOption('--owner <owner>', 'kind:external-id, such as service:billing; made if it is new')
    .option('--scope <scope>', 'what the key may do, such as orders:read; may be repeated', collect)
    .option('--name <name>', 'for people; with --count, a number is added')
    .option('--ttl <duration>', 'how long it lives, such as 90d; otherwise as the keyspace says')
    .option('--expires-at <time>', 'when it ends: RFC 3339, such as 2030-01-31T12:00:00Z')
    .option('--not-before <time>', 'when it begins, in the same form')
    .option('--metadata <name=value>', 'free text kept with the key; may be repeated', collect)
    .option('--count <count>', 'issue so many keys alike')
    .option('--request-approval', 'ask a second manager for it, where the keyspace wants that')
    .option('--reason <text>', 'with --request-approval: why, for who decides')
    .option('--out <file>', 'write results to a new file that only you can read, as JSON lines')
    .action(
      action<IssueOptions>(async (context, options) => {
        const body = issueBody(options);
        if (options.requestApproval) return requestApproval(context, { body, options });
        if (options.count !== undefined || options.out !== undefined) {
          return issueMany(context, { body, options });
        }
        const issued = await issueOne(context, body);
        await emit(context, issued, formatIssued);
        context.terminal.say('the secret is shown this once; only its hash is kept');
        if (issued.scopes.length === 0)
          context.terminal.say(
            'it has no scopes: it is valid, and refused wherever one is asked for; see --scope',
          );
        return 0;
      }),
    );
}

/** What to do about a refusal is said beside it, in the words of this command. */
async function issueOne(context: Context, body: KeyIssue): Promise<KeyIssued> {
  try {
    return await context.client().keys.issue(body);
  } catch (error) {
    if (error instanceof KeyswarmError && error.code === 'approval_required') {
      context.terminal.say('the same command with --request-approval asks a second manager for it');
    }
    throw error;
  }
}

async function requestApproval(
  context: Context,
  { body, options }: { readonly body: KeyIssue; readonly options: IssueOptions },
): Promise<number> {
  if (options.count !== undefined || options.out !== undefined) {
    throw new InputError('--request-approval', 'it asks for one key', 'neither --count nor --out');
  }
  const wish = { ...body, ...given('reason', options.reason) };
  const approval = await context.client().approvals.request(wish);
  await emit<ApprovalChanged>(context, approval, formatApproval);
  context.terminal.say(`once another manager has approved it: keyswarm approval collect ${approval.id}`);
  return 0;
}

function issueBody(options: IssueOptions): KeyIssue {
  const instant = (text: string | undefined, field: string) =>
    text === undefined ? undefined : parseInstant(text, field);
  return {
    keyspace: options.keyspace,
    owner: parseOwnerName(options.owner, '--owner'),
    scopes: [...(options.scope ?? [])],
    ...given('name', options.name),
    ...given(
      'ttl_seconds',
      options.ttl === undefined ? undefined : parseDurationSeconds(options.ttl, '--ttl'),
    ),
    ...given('expires_at', instant(options.expiresAt, '--expires-at')),
    ...given('not_before', instant(options.notBefore, '--not-before')),
    ...given('metadata', parseNamedValues(options.metadata, '--metadata')),
  };
}

async function issueMany(
  context: Context,
  { body, options }: { readonly body: KeyIssue; readonly options: IssueOptions },
): Promise<number> {
  const total = parseWholeNumber(options.count ?? '1', '--count', countMax);
  const client = context.client();
  const sink: RecordSink =
    options.out === undefined
      ? sinkToTerminal(context, formatIssuedLine)
      : await sinkToFile(options.out, '--out');
  return runBulk<KeyIssue, KeyIssuedBulk['results'][number]>(context, {
    verb: 'issued',
    items: copies(body, total),
    total,
    sink,
    send: (keys) => client.keys.issueBulk(keys),
    record: (result) => result,
  });
}

function* copies(body: KeyIssue, total: number): Generator<KeyIssue> {
  for (let number = 1; number <= total; number += 1) {
    yield body.name === undefined || total === 1 ? body : { ...body, name: `${body.name} ${number}` };
  }
}

export function formatIssued(key: KeyIssued): string {
  return formatFields({
    id: key.id,
    secret: key.secret,
    version: key.version,
    owner: key.owner_id,
    scopes: key.scopes.join(' '),
    expires: key.expires_at,
  });
}

function formatIssuedLine(record: object): string {
  const { id, secret } = record as Partial<KeyIssued>;
  return `${id}  ${secret}`;
}
