import type { ServerConfig } from '../config/config-schema.ts';
import type { Log } from '../logging/log.ts';
import { systemClock } from '../runtime/clock.ts';
import { systemRandom } from '../runtime/random.ts';
import { systemTimers } from '../runtime/timers.ts';
import type { Store } from '../storage/store.ts';
import type { JobObserver } from '../workflows/queue-workers.ts';
import { Workflows } from '../workflows/workflows.ts';
import type { Closing } from './close-in-order.ts';

interface WorkflowsGround {
  readonly store: Store;
  readonly log: Log;
  readonly closing: Closing;
  readonly observer: JobObserver;
}

/** The jobs of this process. They end before the lanes that they write through. */
export function openWorkflows(
  config: ServerConfig,
  { store, log, closing, observer }: WorkflowsGround,
): Workflows {
  const workflows = new Workflows({
    store,
    isEmbedded: config.databaseUrl === null,
    log,
    timers: systemTimers,
    clock: systemClock,
    random: systemRandom,
    observer,
    works: config.workflows,
    concurrencyMax: config.workflowConcurrency,
    drainMs: config.drainTimeoutMs,
  });
  closing.add('workflows', () => workflows.stop());
  return workflows;
}
