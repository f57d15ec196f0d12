import type { ResidentVerifier } from '@keyswarm/verifier';
import type { Log } from '../logging/log.ts';
import type { ServerMetrics } from '../metrics/server-metrics.ts';
import { UseSink } from '../relay/use-sink.ts';
import { systemTimers } from '../runtime/timers.ts';
import type { Store } from '../storage/store.ts';
import type { Closing } from './close-in-order.ts';

export interface UsesGround {
  readonly store: Store;
  readonly shards: number;
  readonly verifier: Pick<ResidentVerifier, 'takeUses'>;
  readonly metrics: Pick<ServerMetrics, 'rotations'>;
  readonly log: Log;
  readonly closing: Closing;
}

/** Where the uses of rotating keys come in, of this process and of those that ask it. */
export function openUses({ store, shards, verifier, metrics, log, closing }: UsesGround): UseSink {
  const uses = new UseSink({
    store,
    shards,
    take: (countMax) => verifier.takeUses(countMax),
    timers: systemTimers,
    onFirstUse: (ms) => metrics.rotations.firstUsed(ms),
    onProblem: (error) => log.warn({ err: error }, 'uses of rotating keys could not be stored; trying again'),
  });
  uses.start();
  closing.add('uses', () => uses.stop());
  return uses;
}
