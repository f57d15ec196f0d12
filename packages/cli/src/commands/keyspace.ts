import type { KeyspaceReply } from '@keyswarm/contract';
import type { Command } from 'commander';
import { emit, emitList } from '../io/emit.ts';
import { formatFields } from '../io/table.ts';
import { parseChoice } from '../parse/choice.ts';
import { formatDurationMs, parseDurationSeconds } from '../parse/duration.ts';
import type { RunAction } from '../runner.ts';
import { collect, itemsMaxOf, type ListOptions, withListOptions } from './list-options.ts';

interface CreateOptions {
  readonly prefix: string;
  readonly format?: string;
  readonly scope?: readonly string[];
  readonly defaultTtl?: string;
  readonly maxTtl?: string;
  readonly maxGrace?: string;
  readonly lease?: string;
  readonly inUseWindow?: string;
  readonly approvalScope?: readonly string[];
}

export function addKeyspaceCommands(keyspace: Command, action: RunAction): void {
  keyspace
    .command('create')
    .description('create a keyspace; name and prefix are for good')
    .argument('<name>', 'unique in the workspace, such as orders-live')
    .requiredOption('--prefix <prefix>', 'what its keys begin with, such as orders_live')
    .option('--format <format>', 'opaque, or jwt: keys that others can verify as well; for good')
    .option('--scope <scope>', 'a scope its keys may have, such as "orders:*"; may be repeated', collect)
    .option('--default-ttl <duration>', 'life of a key that is issued without one, such as 90d')
    .option('--max-ttl <duration>', 'the longest life of a key')
    .option('--max-grace <duration>', 'how long an old version may go on working after a rotation')
    .option('--lease <duration>', 'how long a verifier that is cut off may go on accepting, 1s to 600s')
    .option('--in-use-window <duration>', 'how long an old version has to be silent to be ended, 1m to 45m')
    .option(
      '--approval-scope <scope>',
      'keys with such a scope need a second manager; "*" for every key; may be repeated',
      collect,
    )
    .action(
      action<CreateOptions>(async (context, options, { first: name }) => {
        const seconds = (text: string | undefined, field: string) =>
          text === undefined ? undefined : parseDurationSeconds(text, field);
        const body = {
          name,
          prefix: options.prefix,
          allowed_scopes: [...(options.scope ?? [])],
          ...given(
            'format',
            options.format === undefined
              ? undefined
              : parseChoice(options.format, ['opaque', 'jwt'] as const, '--format'),
          ),
          ...given('default_ttl_seconds', seconds(options.defaultTtl, '--default-ttl')),
          ...given('max_ttl_seconds', seconds(options.maxTtl, '--max-ttl')),
          ...given('max_grace_seconds', seconds(options.maxGrace, '--max-grace')),
          ...given('lease_seconds', seconds(options.lease, '--lease')),
          ...given('rotation', rotationOf(seconds(options.inUseWindow, '--in-use-window'))),
          ...given(
            'approval',
            options.approvalScope === undefined ? undefined : { scopes: options.approvalScope },
          ),
        };
        await emit(context, await context.client().keyspaces.create(body), formatKeyspace);
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
  addRevokeKeysCommand(keyspace, action);
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

function rotationOf(inUseWindowSeconds: number | undefined) {
  return inUseWindowSeconds === undefined ? undefined : { in_use_window_seconds: inUseWindowSeconds };
}

/** A member that is there only if its value is. */
export function given<Name extends string, T>(name: Name, value: T | undefined): { [N in Name]?: T } {
  return (value === undefined ? {} : { [name]: value }) as { [N in Name]?: T };
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
    'in-use window': duration(keyspace.rotation.in_use_window_seconds),
    ...(keyspace.approval.scopes.length === 0
      ? {}
      : { 'needs approval': keyspace.approval.scopes.join(' ') }),
    created: keyspace.created_at,
  });
}
