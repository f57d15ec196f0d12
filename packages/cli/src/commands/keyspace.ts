import type { KeyspaceReply } from '@keyswarm/contract';
import type { Command } from 'commander';
import { InputError } from '../input-error.ts';
import { emit, emitList } from '../io/emit.ts';
import { formatFields } from '../io/table.ts';
import { parseChoice } from '../parse/choice.ts';
import { formatDurationMs } from '../parse/duration.ts';
import type { RunAction } from '../runner.ts';
import { given } from './given.ts';
import { livesOf, type PolicyOptions, policyOf, withPolicyOptions } from './keyspace-policy.ts';
import { itemsMaxOf, type ListOptions, withListOptions } from './list-options.ts';
import { labelled } from './owner.ts';

interface CreateOptions extends PolicyOptions {
  readonly prefix: string;
  readonly format?: string;
}

export function addKeyspaceCommands(keyspace: Command, action: RunAction): void {
  withPolicyOptions(
    keyspace
      .command('create')
      .description('create a keyspace; name and prefix are for good')
      .argument('<name>', 'unique in the workspace, such as orders-live')
      .requiredOption('--prefix <prefix>', 'what its keys begin with, such as orders_live')
      .option('--format <format>', 'opaque, or jwt: keys that others can verify as well; for good'),
  ).action(
    action<CreateOptions>(async (context, options, { first: name }) => {
      const { prefix, format, scope = [] } = options;
      const body = {
        name,
        prefix,
        allowed_scopes: [...scope],
        ...given(
          'format',
          format === undefined ? undefined : parseChoice(format, ['opaque', 'jwt'] as const, '--format'),
        ),
        ...withoutNull(livesOf(options)),
        ...policyOf(options),
      };
      await emit(context, await context.client().keyspaces.create(body), formatKeyspace);
      return 0;
    }),
  );

  withPolicyOptions(
    keyspace
      .command('update')
      .description(
        'change the policy of a keyspace: a new lease holds for all its keys, the rest for keys to come. What is named takes the place of what was',
      )
      .argument('<keyspace>', 'name or id'),
  ).action(
    action<PolicyOptions>(async (context, options, { first: id }) => {
      const body = { ...given('allowed_scopes', options.scope), ...livesOf(options), ...policyOf(options) };
      if (Object.keys(body).length === 0)
        throw new InputError('options', 'nothing to change', 'at least one option, such as --lease 10s');
      await emit(context, await context.client().keyspaces.update(id, body), formatKeyspace);
      return 0;
    }),
  );

  withListOptions(keyspace.command('list').description('list keyspaces')).action(
    action<ListOptions>(async (context, options) => {
      const client = context.client();
      await emitList<KeyspaceReply>(context, {
        headings: ['NAME', 'PREFIX', 'STATE', 'LEASE', 'ID'],
        row: ({ name, prefix, state, lease_seconds, id }) => [name, prefix, state, `${lease_seconds}s`, id],
        list: (page) => client.keyspaces.list(page),
        itemsMax: itemsMaxOf(options),
      });
      return 0;
    }),
  );

  keyspace
    .command('show')
    .description('show a keyspace')
    .argument('<keyspace>', 'name or id')
    .action(
      action(async (context, _options, { first: id }) => {
        await emit(context, await context.client().keyspaces.get(id), formatKeyspace);
        return 0;
      }),
    );
  addStateCommands(keyspace, action);
  addRevokeKeysCommand(keyspace, action);
}

function addStateCommands(keyspace: Command, action: RunAction): void {
  for (const [name, description] of [
    ['suspend', 'refuse every key of it until it is resumed'],
    ['resume', 'let its keys work again as they did'],
  ] as const) {
    keyspace
      .command(name)
      .description(description)
      .argument('<keyspace>', 'name or id')
      .action(
        action(async (context, _options, { first: id }) => {
          const reply = await context.client().keyspaces[name](id);
          await emit(context, reply, (fields) => formatFields({ keyspace: id, ...labelled(fields) }));
          return 0;
        }),
      );
  }
}

function addRevokeKeysCommand(keyspace: Command, action: RunAction): void {
  keyspace
    .command('revoke-keys')
    .description('refuse for good every key it has now; keys issued afterwards work')
    .argument('<keyspace>', 'name or id')
    .action(
      action(async (context, _options, { first: name }) => {
        const reply = await context.client().keyspaces.revokeKeys(name);
        await emit(context, reply, ({ id, keys_not_before, effective_by }) =>
          formatFields({
            keyspace: name,
            id,
            'keys not before': keys_not_before,
            'effective by': effective_by,
          }),
        );
        return 0;
      }),
    );
}

/** A life that is `none` is one that isn't named. */
function withoutNull<T extends object>(lives: T): { [Name in keyof T]?: Exclude<T[Name], null> } {
  return Object.fromEntries(Object.entries(lives).filter(([, value]) => value !== null)) as {
    [Name in keyof T]?: Exclude<T[Name], null>;
  };
}

function formatKeyspace(keyspace: KeyspaceReply): string {
  const duration = (seconds: number | null) => (seconds === null ? null : formatDurationMs(seconds * 1_000));
  return formatFields({
    name: keyspace.name,
    id: keyspace.id,
    prefix: keyspace.prefix,
    state: keyspace.state,
    scopes: keyspace.allowed_scopes.join(' '),
    'default ttl': duration(keyspace.default_ttl_seconds),
    'max ttl': duration(keyspace.max_ttl_seconds),
    'max grace': duration(keyspace.max_grace_seconds),
    lease: duration(keyspace.lease_seconds),
    'rotate after': duration(keyspace.rotation.rotate_after_seconds),
    settle: duration(keyspace.rotation.settle_seconds),
    'in-use window': duration(keyspace.rotation.in_use_window_seconds),
    ...(keyspace.approval.scopes.length === 0
      ? {}
      : { 'needs approval': keyspace.approval.scopes.join(' ') }),
    created: keyspace.created_at,
  });
}
