import type { FeedRelay } from '@keyswarm/verifier';
import type { DemoDoor } from '../http/handlers/demo-handler.ts';
import { ChangeWatch } from '../live/change-watch.ts';
import { flowFamilies } from '../live/flow-figures.ts';
import { LiveFlow, type LiveFlowOptions } from '../live/live-flow.ts';
import type { Log } from '../logging/log.ts';
import type { ServerMetrics } from '../metrics/server-metrics.ts';
import { listVerifiers, type VerifiersFrom } from '../relay/list-verifiers.ts';
import { systemClock } from '../runtime/clock.ts';
import { systemTimers } from '../runtime/timers.ts';
import type { Reader } from '../storage/reader-port.ts';
import type { WorkerSeat } from '../workers/worker-seat.ts';
import type { openRelay } from './open-relay.ts';

type RelayHouse = Pick<ReturnType<typeof openRelay>, 'registry' | 'onApplied'>;

/** What changes in workspaces that are watched; hears of every change from its making on. */
export function openChangeWatch({ registry, onApplied }: RelayHouse, relay: FeedRelay): ChangeWatch {
  const changes = new ChangeWatch({
    clock: systemClock,
    roll: () => registry.roll.entries(),
    want: () => relay.want(),
  });
  registry.onReport((entry) => changes.reported(entry));
  onApplied((stretch) => changes.applied(stretch));
  return changes;
}

export interface LiveGround {
  readonly changes: ChangeWatch;
  readonly metrics: ServerMetrics;
  readonly seat: WorkerSeat | undefined;
  readonly verifiersFrom: VerifiersFrom;
  readonly reader: Reader;
  readonly laneDepths: LiveFlowOptions['laneDepths'];
  readonly demo?: DemoDoor | undefined;
  readonly log: Log;
}

export function openLive(ground: LiveGround): LiveFlow {
  const { changes, metrics, seat, verifiersFrom, reader, laneDepths, demo, log } = ground;
  return new LiveFlow({
    clock: systemClock,
    timers: systemTimers,
    families: () => seat?.families(metrics) ?? metrics.familiesNamed(flowFamilies),
    changes,
    laneDepths,
    verifiers: (workspaceId) => listVerifiers(verifiersFrom, workspaceId),
    keyspaces: (workspaceId, limit) => reader.keyspaces(workspaceId, { after: undefined, limit }),
    demo: () => demo?.state() ?? null,
    onProblem: (error) => log.warn({ err: error }, 'the live picture misses something'),
  });
}
