import type { Command } from 'commander';
import { parseDurationSeconds } from '../parse/duration.ts';
import { given } from './given.ts';
import { collect } from './list-options.ts';

/* What may be settled of a keyspace when it is made, and changed later. */

export interface PolicyOptions {
  readonly scope?: readonly string[];
  readonly defaultTtl?: string;
  readonly maxTtl?: string;
  readonly maxGrace?: string;
  readonly lease?: string;
  readonly rotateAfter?: string;
  readonly settle?: string;
  readonly inUseWindow?: string;
  readonly approvalScope?: readonly string[];
}

export function withPolicyOptions(command: Command): Command {
  return command
    .option('--scope <scope>', 'a scope its keys may have, such as "orders:*"; may be repeated', collect)
    .option('--default-ttl <duration>', 'life of a key that is issued without one, such as 90d; or none')
    .option('--max-ttl <duration>', 'the longest life of a key; or none')
    .option('--max-grace <duration>', 'how long an old version may go on working after a rotation')
    .option('--lease <duration>', 'how long a verifier that is cut off may go on accepting, 1s to 600s')
    .option('--rotate-after <duration>', 'the age at which holders are asked to renew a secret; or none')
    .option(
      '--settle <duration>',
      'how long after the first use of a new version an old one that is silent is ended; or none',
    )
    .option('--in-use-window <duration>', 'how long an old version has to be silent to be ended, 1m to 45m')
    .option(
      '--approval-scope <scope>',
      'keys with such a scope need a second manager; "*" for every key; may be repeated; or none',
      collect,
    );
}

/** The members of a request that the options name, and no others. */
export function policyOf(options: PolicyOptions) {
  const rotation = {
    ...given('rotate_after_seconds', secondsOrNone(options.rotateAfter, '--rotate-after')),
    ...given('settle_seconds', secondsOrNone(options.settle, '--settle')),
    ...given('in_use_window_seconds', seconds(options.inUseWindow, '--in-use-window')),
  };
  const { approvalScope } = options;
  return {
    ...given('max_grace_seconds', seconds(options.maxGrace, '--max-grace')),
    ...given('lease_seconds', seconds(options.lease, '--lease')),
    ...given('rotation', Object.keys(rotation).length === 0 ? undefined : rotation),
    ...given(
      'approval',
      approvalScope && {
        scopes: approvalScope.length === 1 && approvalScope[0] === none ? [] : approvalScope,
      },
    ),
  };
}

/** Lives, which a keyspace that is made can do without by not naming them. */
export function livesOf({ defaultTtl, maxTtl }: PolicyOptions) {
  return {
    ...given('default_ttl_seconds', secondsOrNone(defaultTtl, '--default-ttl')),
    ...given('max_ttl_seconds', secondsOrNone(maxTtl, '--max-ttl')),
  };
}

const none = 'none';

function secondsOrNone(text: string | undefined, field: string): number | null | undefined {
  return text === none ? null : seconds(text, field);
}

function seconds(text: string | undefined, field: string): number | undefined {
  return text === undefined ? undefined : parseDurationSeconds(text, field);
}
