import type { Readiness } from '@keyswarm/contract';
import { leaseDefaultSeconds } from '@keyswarm/core';
import type { ResidentVerifier } from '@keyswarm/verifier';
import { readinessCacheMs, readinessTimeoutMs } from '../limits.ts';
import type { Clock } from '../runtime/clock.ts';
import type { Timers } from '../runtime/timers.ts';

export interface ReadinessOptions {
  readonly clock: Clock;
  readonly timers: Timers;
  readonly verifier: Pick<ResidentVerifier, 'ready' | 'stats' | 'quarantined'>;
  /** A read of the primary; rejects when it can't be reached. */
  readonly askStore: () => Promise<unknown>;
  readonly isDraining: () => boolean;
}

/**
 * May traffic be sent here? Probers come from everywhere at once, so the store is asked once for all who ask in
 * the same half second, and one that does not answer in time counts as failing.
 */
export function readinessOf(options: ReadinessOptions): () => Promise<Readiness> {
  const { clock, verifier } = options;
  let askedAtMs = Number.NEGATIVE_INFINITY;
  let storeAnswer: Promise<boolean> = Promise.resolve(false);
  return async () => {
    const nowMs = clock.monotonicMs();
    if (nowMs - askedAtMs >= readinessCacheMs) {
      askedAtMs = nowMs;
      storeAnswer = storeAnswers(options);
    }
    const isStoreThere = await storeAnswer;
    const isFresh = verifier.ready && verifier.stats().leaseAgeMs <= leaseDefaultSeconds * 1000;
    const isOpen = !options.isDraining();
    const word = (holds: boolean) => (holds ? ('ok' as const) : ('failing' as const));
    return {
      status: isStoreThere && isFresh && isOpen ? 'ready' : 'not_ready',
      checks: { store: word(isStoreThere), verifier: word(isFresh), accepting: word(isOpen) },
      ...(verifier.quarantined.length === 0 ? {} : { quarantined_shards: verifier.quarantined }),
    };
  };
}

function storeAnswers({ askStore, timers }: ReadinessOptions): Promise<boolean> {
  return new Promise((resolve) => {
    const cancel = timers.after(readinessTimeoutMs, () => resolve(false));
    askStore().then(
      () => {
        cancel();
        resolve(true);
      },
      () => {
        cancel();
        resolve(false);
      },
    );
  });
}
