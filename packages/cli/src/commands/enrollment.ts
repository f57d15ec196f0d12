import type { EnrollmentCreated, KeyIssued, KeyReply, SelfReply } from '@keyswarm/contract';
import { createClient } from '@keyswarm/sdk';
import type { Command } from 'commander';
import { writeSecretFile } from '../agent/secret-file.ts';
import type { Context } from '../context.ts';
import { InputError } from '../input-error.ts';
import { emit, emitList } from '../io/emit.ts';
import { readSecret } from '../io/read-secret.ts';
import { formatFields } from '../io/table.ts';
import { parseChoice } from '../parse/choice.ts';
import { parseDurationSeconds } from '../parse/duration.ts';
import { parseInstant } from '../parse/instant.ts';
import { parseNamedValues } from '../parse/named-values.ts';
import { ownerKinds, parseOwnerName } from '../parse/owner-name.ts';
import { parseWholeNumber } from '../parse/whole-number.ts';
import type { RunAction } from '../runner.ts';
import { given } from './given.ts';
import { collect, itemsMaxOf, type ListOptions, withListOptions } from './list-options.ts';

interface CreateOptions {
  readonly keyspace: string;
  readonly uses: string;
  readonly owner?: string;
  readonly ownerKind?: readonly string[];
  readonly ownerPrefix?: string;
  readonly scope?: readonly string[];
  readonly name?: string;
  readonly ttl?: string;
  readonly expiresAt?: string;
  readonly keyTtl?: string;
  readonly metadata?: readonly string[];
  readonly claim?: readonly string[];
  readonly cascade?: true;
}

const usesMax = 1_000_000;

export function addEnrollmentCommands(enrollment: Command, action: RunAction): void {
  enrollment
    .command('create')
    .description('make a key that can be exchanged for lasting ones, so many times; shown once')
    .requiredOption('--keyspace <keyspace>', 'name or id')
    .requiredOption('--uses <count>', 'how often it can be exchanged')
    .option('--owner <owner>', 'who will hold every key, such as service:billing')
    .option('--owner-kind <kind>', 'or: a kind of owner that may be named; may be repeated', collect)
    .option('--owner-prefix <text>', 'what the name of such an owner has to begin with')
    .option('--scope <scope>', 'what the keys may do; may be repeated', collect)
    .option('--name <name>', 'for people')
    .option('--ttl <duration>', 'how long it can be exchanged, such as 1h')
    .option('--expires-at <time>', 'until when it can be exchanged: RFC 3339')
    .option('--key-ttl <duration>', 'how long each key lives; otherwise as the keyspace says')
    .option('--metadata <name=value>', 'kept with each key; may be repeated', collect)
    .option('--claim <name>', 'metadata that whoever exchanges it may set; may be repeated', collect)
    .option('--cascade', 'what was made with it ends with it')
    .action(
      action<CreateOptions>(async (context, options) => {
        const made = await context.client().enrollments.create(createBody(options));
        await emit(context, made, formatCreated);
        context.terminal.say('the secret is shown this once; only its hash is kept');
        return 0;
      }),
    );

  withListOptions(enrollment.command('keys').description('list what was given for an enrollment key'))
    .argument('<id>', 'key_…')
    .action(
      action<ListOptions>(async (context, options, { first: parent }) => {
        const client = context.client();
        await emitList<KeyReply>(context, {
          headings: ['ID', 'STATE', 'EXPIRES', 'OWNER', 'NAME'],
          row: (key) => [key.id, key.state, key.expires_at ?? '-', key.owner_id, key.name],
          list: (page) => client.keys.list({ ...page, parent }),
          itemsMax: itemsMaxOf(options),
        });
        return 0;
      }),
    );
}

function createBody(options: CreateOptions) {
  const seconds = (text: string | undefined, field: string) =>
    text === undefined ? undefined : parseDurationSeconds(text, field);
  const kinds = options.ownerKind?.map((kind) => parseChoice(kind, ownerKinds, '--owner-kind'));
  if (kinds === undefined && options.ownerPrefix !== undefined)
    throw new InputError('--owner-prefix', 'no kind of owner is given', '--owner-kind beside it');
  const owner = options.owner === undefined ? undefined : parseOwnerName(options.owner, '--owner');
  const prefix = given('external_id_prefix', options.ownerPrefix);
  const { expiresAt } = options;
  return {
    keyspace: options.keyspace,
    uses: parseWholeNumber(options.uses, '--uses', usesMax),
    scopes: [...(options.scope ?? [])],
    ...given('owner', owner),
    ...given('owner_rule', kinds === undefined ? undefined : { kinds, ...prefix }),
    ...given('name', options.name),
    ...given('ttl_seconds', seconds(options.ttl, '--ttl')),
    ...given('expires_at', expiresAt === undefined ? undefined : parseInstant(expiresAt, '--expires-at')),
    ...given('key_ttl_seconds', seconds(options.keyTtl, '--key-ttl')),
    ...given('metadata', parseNamedValues(options.metadata, '--metadata')),
    ...given('claims', options.claim === undefined ? undefined : [...options.claim]),
    ...given('cascade', options.cascade),
  };
}

interface EnrollOptions {
  readonly fromFile?: string;
  readonly fromEnv?: string;
  readonly owner?: string;
  readonly name?: string;
  readonly scope?: readonly string[];
  readonly claim?: readonly string[];
  readonly out?: string;
  readonly idempotencyKey?: string;
}

/** What is asked by a key that is no management key. */
export function addHolderCommands(program: Command, action: RunAction): void {
  program
    .command('enroll')
    .description('exchange an enrollment key for a lasting key')
    .argument('[key]', '- reads stdin; without it, asks, or reads stdin when that is no terminal')
    .option('--from-file <path>', 'read the enrollment key from the first line of a file')
    .option('--from-env <name>', 'read the enrollment key from a variable')
    .option('--owner <owner>', 'who will hold the key, such as service:node-7, if it is bound to nobody')
    .option('--name <name>', 'for people')
    .option('--scope <scope>', 'fewer scopes than it gives; may be repeated', collect)
    .option('--claim <name=value>', 'kept as metadata, where it is allowed; may be repeated', collect)
    .option('--out <file>', 'write the key to a file that only you can read, and print all but it')
    .option('--idempotency-key <key>', 'your own, from chance: asked again with it, the same key is given')
    .action(
      action<EnrollOptions>(async (context, options, { all }) => {
        const client = await clientOf(context, options, all[0]);
        const { owner, out, idempotencyKey } = options;
        const body = {
          ...given('owner', owner === undefined ? undefined : parseOwnerName(owner, '--owner')),
          ...given('name', options.name),
          ...given('scopes', options.scope === undefined ? undefined : [...options.scope]),
          ...given('claims', parseNamedValues(options.claim, '--claim')),
        };
        const key = await client.self.enroll(body, { idempotencyKey });
        if (out !== undefined) writeSecretFile(out, `${key.secret}\n`);
        const { secret, ...rest } = key;
        await emit(context, out === undefined ? key : rest, () => formatEnrolled(key, out));
        return 0;
      }),
    );

  program
    .command('self')
    .description('show a key to its holder: what it is, and when it is to be renewed')
    .argument('[key]', '- reads stdin; without it, asks, or reads stdin when that is no terminal')
    .option('--from-file <path>', 'read the key from the first line of a file')
    .option('--from-env <name>', 'read the key from a variable')
    .option('--revoke', 'end it, for good')
    .action(
      action<EnrollOptions & { readonly revoke?: true }>(async (context, options, { all }) => {
        const client = await clientOf(context, options, all[0]);
        if (options.revoke === undefined) await emit(context, await client.self.get(), formatSelf);
        else
          await emit(context, await client.self.revoke(), ({ id, effective_by }) =>
            formatFields({ revoked: id, 'effective by': effective_by }),
          );
        return 0;
      }),
    );
}

async function clientOf(
  context: Context,
  { fromFile: file, fromEnv: variable }: EnrollOptions,
  argument: string | undefined,
) {
  const key = await readSecret({ argument, file, variable }, context);
  try {
    return createClient({ baseUrl: context.url, managementKey: key });
  } catch (error) {
    if (!(error instanceof TypeError)) throw error;
    throw new InputError('KEY', 'it can not be a key', 'printable ASCII characters without blanks');
  }
}

function formatCreated(made: EnrollmentCreated): string {
  const { id, secret, uses, owner_id: owner, scopes, expires_at: expires, cascade } = made;
  return formatFields({
    id,
    secret,
    uses,
    owner,
    scopes: scopes.join(' '),
    expires,
    cascade: String(cascade),
  });
}

function formatEnrolled(
  { id, secret, owner_id: owner, scopes, expires_at: expires }: KeyIssued,
  out?: string,
) {
  return formatFields({
    id,
    secret: out === undefined ? secret : `in ${out}`,
    owner,
    scopes: scopes.join(' '),
    expires,
  });
}

function formatSelf(self: SelfReply): string {
  return formatFields({
    id: self.id,
    version: self.version,
    state: self.state,
    owner: `${self.owner.kind}:${self.owner.external_id}`,
    keyspace: self.keyspace,
    scopes: self.scopes.join(' '),
    expires: self.expires_at,
    'renew after': self.renew_after,
  });
}
