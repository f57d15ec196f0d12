import { type FollowerState, whyOf } from '@keyswarm/verifier';
import type { Log } from '../logging/log.ts';

/** What an operator should know of the feed: it stands still, it can't be read, it began anew, it is well again. */
export function noteFollowerState(log: Log, state: FollowerState): void {
  const { kind } = state;
  if (kind === 'unreachable') {
    log.warn({ reason: whyOf(state.error) }, 'the feed can not be read; trying again');
    log.debug({ err: state.error }, 'where the feed can not be read');
  } else if (kind === 'blocked')
    log.error({ ...state }, 'a feed row can not be read; its shard stands still');
  else if (kind === 'reloading') log.warn({ why: state.why }, 'the resident table is loaded anew');
  else log.debug({ kind }, 'the feed');
}
