import { isCumulative, type MetricFamily, mergeFamilies } from './merge-families.ts';

/*
 * What one scrape of any worker says of all of them. Every family of a single server stands there under its own name
 * for the whole. Where it matters which worker it is, a second family names them: of another name, because a sum
 * over a family in which total and parts both stand would count everything twice.
 *
 * A worker that did not answer in time is in `keyswarm_workers_reporting` (fewer than `keyswarm_workers`) and in
 * `keyswarm_worker_reporting`. What it had counted when it last answered stays in the totals, and so does what a
 * worker had counted that is gone: a total that falls would look like a restart, and a rate over it like a burst.
 */

export interface FleetReports {
  readonly workers: number;
  /** By worker, of those that answered. */
  readonly fresh: ReadonlyMap<number, readonly MetricFamily[]>;
  /** What others had counted: the last report of a worker that did not answer, the sum of those that are gone. */
  readonly past: readonly (readonly MetricFamily[])[];
  /** Workers that died and were started again. Undefined where only the supervisor would know. */
  readonly restarts: number | undefined;
}

export function fleetFamilies(reports: FleetReports): MetricFamily[] {
  const past = reports.past.map((families) => families.filter(isCumulative));
  const whole = mergeFamilies([...reports.fresh.values(), ...past]);
  return [...ofFleet(reports), ...workerSeries.map((series) => perWorker(series, reports)), ...whole];
}

function ofFleet({ workers, fresh, restarts }: FleetReports): MetricFamily[] {
  const numbers = Array.from({ length: workers }, (_, at) => at + 1);
  const gauge = { type: 'gauge', aggregator: 'first' } as const;
  return [
    {
      ...gauge,
      name: 'keyswarm_workers',
      help: 'Workers that this server should have.',
      values: [{ value: workers, labels: {} }],
    },
    {
      ...gauge,
      name: 'keyswarm_workers_reporting',
      help: 'Workers whose figures are in this scrape; the others did not answer in time or are not there.',
      values: [{ value: fresh.size, labels: {} }],
    },
    {
      ...gauge,
      name: 'keyswarm_worker_reporting',
      help: '1 for a worker whose figures are in this scrape, 0 for one that did not answer.',
      values: numbers.map((worker) => ({ value: fresh.has(worker) ? 1 : 0, labels: { worker } })),
    },
    ...(restarts === undefined
      ? []
      : [
          {
            name: 'keyswarm_worker_restarts_total',
            help: 'Workers that ended without being told to, and were started again.',
            type: 'counter',
            aggregator: 'first',
            values: [{ value: restarts, labels: {} }],
          } as const,
        ]),
  ];
}

interface WorkerSeries {
  readonly name: string;
  readonly help: string;
  readonly type: 'counter' | 'gauge';
  /** The family whose figures are added up for one worker, and of a histogram which of its parts. */
  readonly from: string;
  readonly part?: string;
}

const workerSeries: readonly WorkerSeries[] = [
  {
    name: 'keyswarm_worker_lease_age_seconds',
    help: 'Age of what the verifier of this worker can prove it has seen.',
    type: 'gauge',
    from: 'keyswarm_lease_age_seconds',
  },
  {
    name: 'keyswarm_worker_feed_lag_rows',
    help: 'Rows committed and not applied in this worker yet.',
    type: 'gauge',
    from: 'keyswarm_feed_lag_rows',
  },
  {
    name: 'keyswarm_worker_event_loop_delay_p99_seconds',
    help: 'Delay of the event loop of this worker since the last scrape, p99.',
    type: 'gauge',
    from: 'keyswarm_event_loop_delay_p99_seconds',
  },
  {
    name: 'keyswarm_worker_verifications_total',
    help: 'Verifications of this worker, whatever the verdict.',
    type: 'counter',
    from: 'keyswarm_verifications_total',
  },
  {
    name: 'keyswarm_worker_http_requests_total',
    help: 'Requests that this worker answered.',
    type: 'counter',
    from: 'keyswarm_http_request_duration_seconds',
    part: 'keyswarm_http_request_duration_seconds_count',
  },
  {
    name: 'keyswarm_worker_cpu_seconds_total',
    help: 'CPU that this worker has used.',
    type: 'counter',
    from: 'keyswarm_process_cpu_seconds_total',
  },
  {
    name: 'keyswarm_worker_resident_memory_bytes',
    help: 'Resident memory of this worker.',
    type: 'gauge',
    from: 'keyswarm_process_resident_memory_bytes',
  },
  {
    name: 'keyswarm_worker_start_time_seconds',
    help: 'When this worker started, in seconds of Unix time.',
    type: 'gauge',
    from: 'keyswarm_process_start_time_seconds',
  },
];

function perWorker(series: WorkerSeries, { fresh }: FleetReports): MetricFamily {
  const { name, help, type, from, part } = series;
  const inOrder = [...fresh].sort(([one], [other]) => one - other);
  const values = inOrder.flatMap(([worker, families]) => {
    const family = families.find((each) => each.name === from);
    if (family === undefined) return [];
    const counted = family.values.filter(({ metricName }) => part === undefined || metricName === part);
    return [{ value: counted.reduce((sum, { value }) => sum + value, 0), labels: { worker } }];
  });
  return { name, help, type, aggregator: 'first', values };
}
