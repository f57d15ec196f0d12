import type { VerifierLog } from './verifier-api.ts';
import type { Listeners, StateChange } from './verifier-events.ts';
import { whyOf } from './why-of.ts';

/**
 * One line for each change that somebody on duty would ask about. No key string, no credential, no fact is in it. What
 * went wrong is told in words: whoever wants the error itself listens to the event.
 */
export function logEvents(listeners: Listeners, log: VerifierLog): void {
  const about = ({ leaseAgeMs, reason }: StateChange) => ({
    leaseAgeMs: leaseAgeMs === undefined ? undefined : Math.round(leaseAgeMs),
    ...(reason === undefined ? {} : { reason: whyOf(reason) }),
  });
  listeners.on('fresh', (change) => log.info(about(change), 'keys are verified from a fresh lease'));
  listeners.on('aging', (change) => log.warn(about(change), 'the lease is aging: no news for half of it'));
  listeners.on('stale', (change) => log.error(about(change), 'the lease has ended: no key is valid here'));
  listeners.on('refused', (change) =>
    log.error(about(change), 'the relay refuses the credential: somebody has to change it or its scopes'),
  );
  listeners.on('quarantined', ({ shards, reason }) => {
    if (shards.length > 0)
      log.error(
        { shards, ...(reason === undefined ? {} : { reason: whyOf(reason) }) },
        'shards can not be read: what hangs on them goes stale',
      );
    else log.info({}, 'every shard can be read again');
  });
  listeners.on('unreachable', ({ error }) =>
    log.warn({ reason: whyOf(error) }, 'the feed can not be followed'),
  );
  listeners.on('moved', ({ from, to, error }) => {
    log.info(
      { from, to, ...(error === undefined ? {} : { reason: whyOf(error) }) },
      'another relay is followed',
    );
  });
}
