import type { KeyRevoked } from '@keyswarm/contract';
import type { Command } from 'commander';
import { forEachId } from '../bulk/for-each-id.ts';
import { formatFields } from '../io/table.ts';
import type { RunAction } from '../runner.ts';
import { given } from './given.ts';
import { labelled } from './owner.ts';

interface RevokeOptions {
  readonly reason?: string;
}

export function addKeyChangeCommands(key: Command, action: RunAction): void {
  key
    .command('revoke')
    .description('end a key, for good')
    .argument('<id...>', 'key_…, one or more')
    .option('--reason <text>', 'why, for the audit record and the event')
    .action(
      action<RevokeOptions>(async (context, { reason }, { all: ids }) => {
        const client = context.client();
        return forEachId<KeyRevoked>(context, {
          verb: 'revoked',
          ids,
          call: (id) => client.keys.revoke(id, given('reason', reason)),
          human: (reply) => formatFields(labelled(reply)),
        });
      }),
    );

  const changes = [
    ['suspend', 'suspended', 'refuse every version of a key until it is resumed', 'suspend'],
    ['resume', 'resumed', 'let a suspended key work again', 'resume'],
  ] as const;
  for (const [name, verb, description, operation] of changes) {
    key
      .command(name)
      .description(description)
      .argument('<id...>', 'key_…, one or more')
      .action(
        action(async (context, _options, { all: ids }) => {
          const client = context.client();
          return forEachId<object>(context, {
            verb,
            ids,
            call: (id) => client.keys[operation](id),
            human: (reply) => formatFields(labelled(reply)),
          });
        }),
      );
  }
}
