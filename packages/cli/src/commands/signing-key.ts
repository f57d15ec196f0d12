import type { SigningKeyReply } from '@keyswarm/contract';
import type { Command } from 'commander';
import { emit } from '../io/emit.ts';
import { formatFields, formatTable } from '../io/table.ts';
import { parseChoice } from '../parse/choice.ts';
import type { RunAction } from '../runner.ts';

interface RotateOptions {
  readonly algorithm?: string;
}

const algorithms = ['EdDSA', 'ES256'] as const;

export function addSigningKeyCommands(signingKey: Command, action: RunAction): void {
  signingKey
    .command('list')
    .description('list the keys that tokens are signed with, the newest last')
    .action(
      action(async (context) => {
        const list = await context.client().signingKeys.list();
        await emit(context, list, ({ items }) => formatTable(headings, items.map(rowOf)));
        return 0;
      }),
    );

  signingKey
    .command('rotate')
    .description('let the key that stands by take over; refused while somebody may not know it')
    .option('--algorithm <algorithm>', 'EdDSA or ES256; EdDSA unless given')
    .action(
      action<RotateOptions>(async (context, { algorithm = 'EdDSA' }) => {
        const chosen = parseChoice(algorithm, algorithms, '--algorithm');
        await emit(context, await context.client().signingKeys.rotate(chosen), formatSigningKey);
        return 0;
      }),
    );

  signingKey
    .command('revoke')
    .description('end a key that has leaked, with all that it signed; the one that stands by signs on')
    .argument('<id>', 'sk_…')
    .action(
      action(async (context, _options, { first: id }) => {
        const revoked = await context.client().signingKeys.revoke(id);
        await emit(context, revoked, (key) =>
          formatFields({ revoked: key.id, algorithm: key.algorithm, 'effective by': key.effective_by }),
        );
        context.terminal.say('keys that are tokens of it have to be rotated, derived tokens asked for again');
        return 0;
      }),
    );

  signingKey
    .command('remove')
    .description('remove a retired key; refused while a token that it signed may live')
    .argument('<id>', 'sk_…')
    .action(
      action(async (context, _options, { first: id }) => {
        await emit(context, await context.client().signingKeys.remove(id), formatSigningKey);
        return 0;
      }),
    );
}

const headings = ['ID', 'ALGORITHM', 'STATE', 'PUBLISHED', 'ACTIVE SINCE', 'RETIRED', 'ISSUER'];

function rowOf(key: SigningKeyReply): readonly string[] {
  const { id, algorithm, state, published_at, activated_at, retired_at, issuer } = key;
  return [id, algorithm, state, published_at, activated_at ?? '-', retired_at ?? '-', issuer];
}

function formatSigningKey(key: SigningKeyReply): string {
  return formatFields({
    id: key.id,
    algorithm: key.algorithm,
    state: key.state,
    issuer: key.issuer,
    published: key.published_at,
    'active since': key.activated_at,
    retired: key.retired_at,
    removed: key.removed_at,
  });
}
