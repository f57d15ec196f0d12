import type { KeyRotated, RotationFinished } from '@keyswarm/contract';
import type { Command } from 'commander';
import { forEachId } from '../bulk/for-each-id.ts';
import { formatFields } from '../io/table.ts';
import { parseDurationSeconds } from '../parse/duration.ts';
import type { RunAction } from '../runner.ts';
import { given } from './given.ts';

interface RotateOptions {
  readonly grace?: string;
  readonly cut?: true;
}

interface FinishOptions {
  readonly force?: true;
}

export function addKeyRotateCommands(key: Command, action: RunAction): void {
  key
    .command('rotate')
    .description('make a new version; the old one goes on working for its grace')
    .argument('<id...>', 'key_…, one or more')
    .option('--grace <duration>', 'how long the old version goes on working, such as 10m or 0s')
    .option('--cut', 'end a version that is still in grace, so that this rotation can begin')
    .action(
      action<RotateOptions>(async (context, { grace, cut }, { all: ids }) => {
        const client = context.client();
        const seconds = grace === undefined ? undefined : parseDurationSeconds(grace, '--grace');
        const body = { ...given('grace_seconds', seconds), ...given('cut', cut) };
        const exitCode = await forEachId<KeyRotated>(context, {
          verb: 'rotated',
          ids,
          call: (id) => client.keys.rotate(id, body),
          human: formatRotated,
        });
        context.terminal.say('a secret is shown this once; only its hash is kept');
        return exitCode;
      }),
    );

  key
    .command('finish')
    .description('retire the old version of a rotating key; refused while it is in use')
    .argument('<id...>', 'key_…, one or more')
    .option('--force', 'retire it even if it is in use')
    .action(
      action<FinishOptions>(async (context, { force }, { all: ids }) => {
        const client = context.client();
        return forEachId<RotationFinished>(context, {
          verb: 'finished',
          ids,
          call: (id) => client.keys.finishRotation(id, given('force', force)),
          human: ({ id, version, retired, effective_by }) =>
            formatFields({ id, version, retired: retired.version, 'effective by': effective_by }),
        });
      }),
    );
}

function formatRotated(key: KeyRotated): string {
  return formatFields({
    id: key.id,
    secret: key.secret,
    version: key.version,
    previous: `version ${key.previous.version}, works until ${key.previous.retires_at}`,
    expires: key.expires_at,
  });
}
