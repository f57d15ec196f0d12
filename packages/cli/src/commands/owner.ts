import type { OwnerReply } from '@keyswarm/contract';
import { Fault } from '@keyswarm/core';
import type { Client } from '@keyswarm/sdk';
import type { Command } from 'commander';
import { emit, emitList } from '../io/emit.ts';
import { formatFields } from '../io/table.ts';
import { parseChoice } from '../parse/choice.ts';
import { ownerKinds, parseOwnerName } from '../parse/owner-name.ts';
import type { RunAction } from '../runner.ts';
import { given } from './given.ts';
import { itemsMaxOf, type ListOptions, withListOptions } from './list-options.ts';

interface OwnerListOptions extends ListOptions {
  readonly kind?: string;
}

export function addOwnerCommands(owner: Command, action: RunAction): void {
  withListOptions(owner.command('list').description('list owners'))
    .option('--kind <kind>', 'only service, integration or user')
    .action(
      action<OwnerListOptions>(async (context, options) => {
        const client = context.client();
        const kind = options.kind === undefined ? undefined : parseChoice(options.kind, ownerKinds, '--kind');
        await emitList<OwnerReply>(context, {
          headings: ['OWNER', 'STATE', 'ID'],
          row: ({ kind, external_id, state, id }) => [`${kind}:${external_id}`, state, id],
          list: (page) => client.owners.list({ ...page, ...given('kind', kind) }),
          itemsMax: itemsMaxOf(options),
        });
        return 0;
      }),
    );

  const changes = [
    ['suspend', 'refuse all its keys until it is resumed', 'suspend'],
    ['resume', 'let its keys work again', 'resume'],
    ['revoke-keys', 'refuse for good every key it has now; keys issued afterwards work', 'revokeKeys'],
  ] as const;
  for (const [name, description, operation] of changes) {
    owner
      .command(name)
      .description(description)
      .argument('<owner>', 'kind:external-id, such as service:billing, or an id')
      .action(
        action(async (context, _options, { first }) => {
          const client = context.client();
          const id = await ownerIdOf(client, first, 'OWNER');
          const reply = await client.owners[operation](id);
          await emit(context, reply, (fields) => formatFields({ owner: first, ...labelled(fields) }));
          return 0;
        }),
      );
  }
}

/** `effective_by` reads `effective by`. */
export function labelled(fields: object): Record<string, string> {
  return Object.fromEntries(
    Object.entries(fields).map(([name, value]) => [name.replaceAll('_', ' '), String(value ?? '-')]),
  );
}

/** An owner's id from what a person typed: the id itself, or `kind:external-id`. */
export async function ownerIdOf(client: Client, text: string, field: string): Promise<string> {
  if (/^own_[0-9a-z]{26}$/.test(text)) return text;
  const owner = await client.owners.find(parseOwnerName(text, field));
  if (owner === undefined) throw new Fault('not_found', { detail: `there is no owner ${text}`, field });
  return owner.id;
}
