import type { ServerConfig } from '../config/config-schema.ts';
import type { Log } from '../logging/log.ts';
import { systemClock } from '../runtime/clock.ts';
import { systemRandom } from '../runtime/random.ts';
import { systemTimers } from '../runtime/timers.ts';
import type { Store } from '../storage/store.ts';
import { Workflows } from '../workflows/workflows.ts';
import type { Closing } from './close-in-order.ts';

/** The jobs of this process. They end before the lanes that they write through. */
export function openWorkflows(
  config: ServerConfig,
  { store, log, closing }: { readonly store: Store; readonly log: Log; readonly closing: Closing },
): Workflows {
  const workflows = new Workflows({
    store,
    isEmbedded: config.databaseUrl === null,
    log,
    timers: systemTimers,
    clock: systemClock,
    random: systemRandom,
    works: config.workflows,
    concurrencyMax: config.workflowConcurrency,
    drainMs: config.drainTimeoutMs,
  });
  closing.add('workflows', () => workflows.stop());
  return workflows;
}
