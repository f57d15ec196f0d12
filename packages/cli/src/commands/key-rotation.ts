import type { RotationReply } from '@keyswarm/contract';
import type { Command } from 'commander';
import { emit } from '../io/emit.ts';
import { formatFields, formatTable } from '../io/table.ts';
import { parseWholeNumber } from '../parse/whole-number.ts';
import type { RunAction } from '../runner.ts';
import { given } from './given.ts';

interface RotationOptions {
  readonly before?: string;
}

export function addKeyRotationCommand(key: Command, action: RunAction): void {
  key
    .command('rotation')
    .description('show how far the rotation of a key has got: who is used, and whether it may be finished')
    .argument('<id>', 'key_…')
    .option('--before <version>', 'of its versions only those before this one')
    .action(
      action<RotationOptions>(async (context, { before }, { first: id }) => {
        const page = given(
          'before',
          before === undefined ? undefined : parseWholeNumber(before, '--before', 2_147_483_647),
        );
        await emit(context, await context.client().keys.rotation(id, page), formatRotation);
        return 0;
      }),
    );
}

function formatRotation(rotation: RotationReply): string {
  const { previous_version: previous, finish, lineage, key_state: keyState } = rotation;
  const hasEnded = keyState === 'revoked' || keyState === 'expired';
  const fields = formatFields({
    id: rotation.id,
    state: hasEnded ? `over: the key is ${keyState}, and no version of it works` : rotation.state,
    version: rotation.version,
    ...(previous === null
      ? {}
      : {
          previous,
          asked: rotation.asked_at,
          ...(hasEnded ? {} : { 'previous works until': rotation.retires_at }),
          [`version ${rotation.version} first used`]: rotation.first_used_at ?? 'never',
          [`version ${previous} last used`]: rotation.last_used_at ?? 'not while it was told of',
        }),
    ...(rotation.renew_after === null || hasEnded ? {} : { 'renew after': rotation.renew_after }),
    ...(rotation.state === 'overlapping'
      ? { 'may be finished': finish.admitted ? 'yes' : `no: ${finish.detail} (${finish.code})` }
      : {}),
    ...(rotation.is_unproven
      ? { warning: 'the new version was never used, and the old one ends all the same' }
      : {}),
  });
  const versions = formatTable(
    ['VERSION', 'STATE', 'MINTED', 'RETIRES', 'FIRST USED', 'LAST USED'],
    lineage.items.map((one) => [
      String(one.version),
      hasEnded && one.state !== 'retired' ? keyState : one.state,
      one.minted_at,
      hasEnded && one.state !== 'retired' ? '-' : (one.retires_at ?? '-'),
      one.first_used_at ?? '-',
      one.last_used_at ?? '-',
    ]),
  );
  const rest = lineage.next_before === null ? '' : `\n\nfor older ones: --before ${lineage.next_before}`;
  return `${fields}\n\n${versions}${rest}`;
}
