import type { MetricFamily, MetricValue } from '../metrics/merge-families.ts';

/*
 * The few figures that are watched, out of the families that are scraped: so what the page says is what Prometheus
 * is told, and of several workers it is said of all of them.
 */

/** A histogram as it stands: observations up to each bound, in seconds, the last of them +Infinity. */
export interface HistogramFigures {
  readonly bounds: readonly number[];
  readonly counts: readonly number[];
}

export interface FlowFigures {
  readonly workers: number;
  readonly verdicts: Readonly<Record<string, number>>;
  readonly requests: Readonly<Record<string, number>>;
  readonly shed: Readonly<Record<string, number>>;
  readonly internalErrors: number;
  readonly latency: Readonly<Record<LatencyOf, HistogramFigures>>;
  readonly batches: number;
  readonly batchWrites: number;
  readonly inFlight: Readonly<Record<string, number>>;
  readonly versions: number;
  readonly feedLagRows: number;
}

export const latencies = ['verify', 'issue', 'rotate', 'revoke', 'commit'] as const;
export type LatencyOf = (typeof latencies)[number];

const operationsOf: Readonly<Record<Exclude<LatencyOf, 'commit'>, readonly string[]>> = {
  verify: ['verifyKey', 'forwardAuth'],
  issue: ['issueKey'],
  rotate: ['rotateKey', 'renewSelf'],
  revoke: ['revokeKey'],
};

const durations = 'keyswarm_http_request_duration_seconds';
const commits = 'keyswarm_lane_commit_seconds';

/** What has to be read. */
export const flowFamilies: readonly string[] = [
  durations,
  commits,
  'keyswarm_verifications_total',
  'keyswarm_shed_total',
  'keyswarm_internal_errors_total',
  'keyswarm_lane_batch_writes',
  'keyswarm_verifications_in_flight',
  'keyswarm_mutations_in_flight',
  'keyswarm_resident_versions',
  'keyswarm_feed_lag_rows',
  'keyswarm_workers',
];

export function flowFigures(families: readonly MetricFamily[]): FlowFigures {
  const byName = new Map(families.map((family) => [family.name, family.values]));
  const valuesOf = (name: string): readonly MetricValue[] => byName.get(name) ?? [];
  const one = (name: string): number => valuesOf(name)[0]?.value ?? 0;
  const batches = valuesOf('keyswarm_lane_batch_writes');
  const partOf = (part: string): number =>
    batches.find(({ metricName }) => metricName?.endsWith(part))?.value ?? 0;
  const requests = valuesOf(durations);
  return {
    workers: Math.max(1, one('keyswarm_workers')),
    verdicts: byLabel(valuesOf('keyswarm_verifications_total'), 'verdict'),
    requests: byLabel(
      requests.filter(({ metricName }) => metricName?.endsWith('_count')),
      'status',
    ),
    shed: byLabel(valuesOf('keyswarm_shed_total'), 'reason'),
    internalErrors: one('keyswarm_internal_errors_total'),
    latency: {
      verify: histogramOf(requests, operationsOf.verify),
      issue: histogramOf(requests, operationsOf.issue),
      rotate: histogramOf(requests, operationsOf.rotate),
      revoke: histogramOf(requests, operationsOf.revoke),
      commit: histogramOf(valuesOf(commits)),
    },
    batches: partOf('_count'),
    batchWrites: partOf('_sum'),
    inFlight: {
      verifications: one('keyswarm_verifications_in_flight'),
      mutations: one('keyswarm_mutations_in_flight'),
    },
    versions: one('keyswarm_resident_versions'),
    feedLagRows: one('keyswarm_feed_lag_rows'),
  };
}

function byLabel(values: readonly MetricValue[], label: string): Record<string, number> {
  const sums: Record<string, number> = {};
  for (const { labels, value } of values) {
    const name = String(labels[label] ?? '');
    sums[name] = (sums[name] ?? 0) + value;
  }
  return sums;
}

/** Of requests that were answered with 2xx, where they are of operations. */
function histogramOf(values: readonly MetricValue[], operations?: readonly string[]): HistogramFigures {
  const counts = new Map<number, number>();
  for (const { metricName, labels, value } of values) {
    if (!metricName?.endsWith('_bucket')) continue;
    if (operations !== undefined) {
      if (labels.status !== '2xx' || !operations.includes(String(labels.operation))) continue;
    }
    const bound = labels.le === '+Inf' ? Number.POSITIVE_INFINITY : Number(labels.le);
    counts.set(bound, (counts.get(bound) ?? 0) + value);
  }
  const bounds = [...counts.keys()].sort((a, b) => a - b);
  return { bounds, counts: bounds.map((bound) => counts.get(bound) ?? 0) };
}
