import type { FeedSource } from '../feed/feed-source.ts';
import { leaveMsMax } from '../limits.ts';
import type { Timers } from '../runtime/timers.ts';
import type { UseReporter } from '../uses/use-reporter.ts';

/**
 * The last ask of a verifier that has stopped: the uses that it has not told yet, and that it has neither a table nor a
 * lease any more. The answer is nothing to it. So its silence from now on holds up no rotation.
 */
export async function takeLeave(source: FeedSource, uses: UseReporter, timers: Timers): Promise<void> {
  const told = uses.last();
  const ask = {
    applied: undefined,
    leaseAgeMs: undefined,
    fresh: false,
    ...(told === undefined ? {} : { uses: told }),
  };
  const overdue = new AbortController();
  const late = Promise.withResolvers<void>();
  const cancel = timers.after(leaveMsMax, () => {
    overdue.abort(new Error('the last ask took too long'));
    late.resolve();
  });
  const asked = source.lease(ask, overdue.signal).then(
    () => undefined,
    // Whoever can't be reached finds out by the silence.
    () => undefined,
  );
  await Promise.race([asked, late.promise]);
  cancel();
}
