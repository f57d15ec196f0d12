import { Counter, Gauge, Histogram, type Registry } from 'prom-client';
import type { DeliveryObserver } from '../deliveries/pump.ts';
import { readMetrics } from './read-metrics.ts';

const outcomes = [
  'delivered',
  'address',
  'connect',
  'timeout',
  'redirect',
  'client_error',
  'server_error',
  'gone',
] as const;
const deadKinds = ['event', 'range', 'job'] as const;

/** What is sent to webhooks, what became of it, and what was given up. */
export function deliveryMetrics(registry: Registry): DeliveryObserver {
  const registers = [registry];
  const posted = new Counter({
    registers,
    name: 'keyswarm_webhook_deliveries_total',
    help: 'Requests to webhooks, by what became of them.',
    labelNames: ['outcome'],
  });
  for (const outcome of outcomes) posted.inc({ outcome }, 0);
  const lag = new Histogram({
    registers,
    name: 'keyswarm_webhook_delivery_lag_seconds',
    help: 'From an event to its delivery.',
    buckets: [0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 15, 60, 300, 3600, 86_400],
  });
  const died = new Counter({
    registers,
    name: 'keyswarm_dead_letters_total',
    help: 'Events, stretches of the feed and jobs that were given up.',
    labelNames: ['kind'],
  });
  for (const kind of deadKinds) died.inc({ kind }, 0);
  return {
    posted(outcome, lagMs) {
      posted.inc({ outcome: outcome.kind === 'delivered' ? 'delivered' : outcome.reason });
      if (outcome.kind === 'delivered') lag.observe(lagMs / 1000);
    },
    died: (kind) => died.inc({ kind }),
  };
}

/** What waits to be looked through for webhooks. */
export function watchBacklog(
  registry: Registry,
  backlog: () => { readonly rows: number; readonly oldestSeconds: number },
): void {
  const { gauge } = readMetrics(registry);
  gauge(
    'keyswarm_webhook_backlog_rows',
    'Rows of the feed that webhooks have not been served yet, summed over them.',
    () => backlog().rows,
  );
  gauge(
    'keyswarm_webhook_backlog_oldest_seconds',
    'Age of the oldest of them.',
    () => backlog().oldestSeconds,
  );
}

/** Jobs that wait, by kind. */
export function watchJobs(
  registry: Registry,
  waiting: () => ReadonlyMap<string, { readonly count: number; readonly oldestSeconds: number }>,
): void {
  // Each process reads the same of the store, so of several workers the most is told and not the sum.
  const gauge = (
    name: string,
    help: string,
    read: (of: { count: number; oldestSeconds: number }) => number,
  ) =>
    new Gauge({
      registers: [registry],
      name,
      help,
      labelNames: ['job'],
      aggregator: 'max',
      collect() {
        for (const [job, of] of waiting()) this.set({ job }, read(of));
      },
    });
  gauge('keyswarm_jobs_waiting', 'Jobs that could be done now and are not, by kind.', ({ count }) => count);
  gauge('keyswarm_jobs_oldest_seconds', 'How long the oldest of them has waited.', (of) => of.oldestSeconds);
}
