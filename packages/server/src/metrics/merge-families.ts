import { type Metric, Registry } from 'prom-client';

/** One figure of a family, as a registry gives it. */
export interface MetricValue {
  readonly value: number;
  readonly labels: Readonly<Record<string, string | number>>;
  /** Of a histogram: `…_bucket`, `…_sum`, `…_count`. */
  readonly metricName?: string | undefined;
}

export interface MetricFamily {
  readonly name: string;
  readonly help: string;
  readonly type: 'counter' | 'gauge' | 'histogram' | 'summary';
  /** What becomes of the figures of several processes. */
  readonly aggregator: string;
  readonly values: readonly MetricValue[];
}

type Merge = (values: readonly number[]) => number | undefined;

const merges: Readonly<Record<string, Merge>> = {
  sum: (values) => values.reduce((sum, value) => sum + value, 0),
  max: (values) => Math.max(...values),
  min: (values) => Math.min(...values),
  average: (values) => values.reduce((sum, value) => sum + value, 0) / values.length,
  first: ([value]) => value,
};

/**
 * The metrics of several processes as if they were one: counts are added, and an age or a lag is that of the worst,
 * as each family says of itself. A family that says nothing we know (prom-client's `omit`) has no meaning for several
 * and is left out.
 */
export function mergeFamilies(lists: readonly (readonly MetricFamily[])[]): MetricFamily[] {
  const byName = new Map<string, MetricFamily[]>();
  for (const family of lists.flat()) {
    const group = byName.get(family.name);
    if (group === undefined) byName.set(family.name, [family]);
    else group.push(family);
  }
  return [...byName.values()].flatMap(mergeOne);
}

/** What only grows. Of a worker that is gone nothing else has a meaning any more. */
export function isCumulative({ type }: MetricFamily): boolean {
  return type === 'counter' || type === 'histogram';
}

/** The exposition format of Prometheus. */
export function familiesText(families: readonly MetricFamily[]): Promise<string> {
  const registry = new Registry();
  for (const family of families) {
    const collected = { ...family, get: async () => family };
    // The registry asks of a metric only what stands here; its declared type names prom-client's own classes.
    registry.registerMetric(collected as unknown as Metric);
  }
  return registry.metrics();
}

function mergeOne(group: readonly MetricFamily[]): MetricFamily[] {
  const [first] = group;
  const merge = merges[first?.aggregator ?? ''];
  if (first === undefined || merge === undefined) return [];
  const series = new Map<string, { readonly of: MetricValue; readonly figures: number[] }>();
  for (const value of group.flatMap((family) => family.values)) {
    const id = seriesId(value);
    const found = series.get(id);
    if (found === undefined) series.set(id, { of: value, figures: [value.value] });
    else found.figures.push(value.value);
  }
  const values = [...series.values()].flatMap(({ of, figures }) => {
    // Some figures of Node are not a number until there was something to measure.
    const merged = merge(figures.filter((figure) => !Number.isNaN(figure)));
    return merged === undefined || !Number.isFinite(merged) ? [] : [{ ...of, value: merged }];
  });
  return [{ ...first, values }];
}

function seriesId({ metricName, labels }: MetricValue): string {
  const sorted = Object.entries(labels).sort(([a], [b]) => (a < b ? -1 : 1));
  return JSON.stringify([metricName, sorted]);
}
