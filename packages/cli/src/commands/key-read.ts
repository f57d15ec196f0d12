import type { KeyReply } from '@keyswarm/contract';
import type { Command } from 'commander';
import { emit, emitList } from '../io/emit.ts';
import { formatFields, formatTable } from '../io/table.ts';
import { parseChoice } from '../parse/choice.ts';
import type { RunAction } from '../runner.ts';
import { given } from './given.ts';
import { KeyPlaces } from './key-places.ts';
import { itemsMaxOf, type ListOptions, withListOptions } from './list-options.ts';
import { ownerIdOf } from './owner.ts';

interface KeyListOptions extends ListOptions {
  readonly keyspace?: string;
  readonly owner?: string;
  readonly state?: string;
}

const keyStates = ['pending', 'active', 'suspended', 'revoked', 'expired'] as const;

export function addKeyReadCommands(key: Command, action: RunAction): void {
  withListOptions(key.command('list').description('list keys by time of issue'))
    .option('--keyspace <keyspace>', 'only of this keyspace, by name or id')
    .option('--owner <owner>', 'only of this owner, such as service:billing')
    .option('--state <state>', 'only pending, active, suspended, revoked or expired')
    .action(
      action<KeyListOptions>(async (context, options) => {
        const client = context.client();
        const owner =
          options.owner === undefined ? undefined : await ownerIdOf(client, options.owner, '--owner');
        const state =
          options.state === undefined ? undefined : parseChoice(options.state, keyStates, '--state');
        const filter = {
          ...given('keyspace', options.keyspace),
          ...given('owner', owner),
          ...given('state', state),
        };
        const places = new KeyPlaces(client);
        await emitList<KeyReply>(context, {
          headings: ['ID', 'STATE', 'VERSIONS', 'EXPIRES', 'KEYSPACE', 'OWNER', 'NAME'],
          beforeRows: (keys) => places.lookUp(keys),
          row: (each) => [
            each.id,
            standingOf(each),
            versionsOf(each),
            each.expires_at ?? '-',
            places.nameOf(each.keyspace_id),
            places.nameOf(each.owner_id),
            each.name,
          ],
          list: (page) => client.keys.list({ ...page, ...filter }),
          itemsMax: itemsMaxOf(options),
        });
        return 0;
      }),
    );

  key
    .command('show')
    .description('show a key: its state, terms and versions; never a secret')
    .argument('<id>', 'key_…')
    .action(
      action(async (context, _options, { first: id }) => {
        await emit(context, await context.client().keys.get(id), formatKey);
        return 0;
      }),
    );
}

/** A key that ended took its versions with it, whatever grace one of them still had. */
const hasEnded = ({ state }: KeyReply): boolean => state === 'revoked' || state === 'expired';

const refusals = { owner_suspended: 'owner suspended', keyspace_suspended: 'keyspace suspended' } as const;

/** A key that is active and refused all the same says so: `active (owner suspended)`. */
function standingOf({ state, refused_because: why }: KeyReply): string {
  return why === undefined ? state : `${state} (${refusals[why]})`;
}

/** `2` or `2 (1 in grace)`. */
function versionsOf(key: KeyReply): string {
  const { versions } = key;
  const newest = versions.at(-1)?.version ?? 0;
  if (hasEnded(key)) return String(newest);
  const grace = versions.find(({ state }) => state === 'grace');
  return grace === undefined ? String(newest) : `${newest} (${grace.version} in grace)`;
}

function formatKey(key: KeyReply): string {
  const metadata = Object.entries(key.metadata).map(([name, value]) => `${name}=${value}`);
  const fields = formatFields({
    id: key.id,
    name: key.name,
    state:
      key.refused_because === undefined
        ? key.state
        : `${key.state}, but refused: ${refusals[key.refused_because]}`,
    keyspace: key.keyspace_id,
    owner: key.owner_id,
    scopes: key.scopes.join(' '),
    ...(metadata.length === 0 ? {} : { metadata: metadata.join(' ') }),
    created: key.created_at,
    begins: key.not_before,
    expires: key.expires_at,
    ...(key.revoked_at === null ? {} : { revoked: key.revoked_at, reason: key.revoke_reason }),
    revision: key.revision,
  });
  const versions = formatTable(
    ['VERSION', 'STATE', 'MINTED', 'RETIRES'],
    key.versions.map(({ version, state, minted_at, retires_at }) =>
      hasEnded(key) && state !== 'retired'
        ? [String(version), key.state, minted_at, '-']
        : [String(version), state, minted_at, retires_at ?? '-'],
    ),
  );
  return `${fields}\n\n${versions}`;
}
