import type { MetricFamily, MetricValue } from '../merge-families.ts';

/* The figures of the registry in the shape of OpenTelemetry's: the same counts, told another way. */

export interface Point {
  readonly attributes: Readonly<Record<string, string>>;
  readonly value: number;
}

export interface HistogramPoint {
  readonly attributes: Readonly<Record<string, string>>;
  readonly boundaries: number[];
  /** Of each bucket by itself, the last above all bounds; Prometheus adds them up. */
  readonly counts: number[];
  readonly sum: number;
  readonly count: number;
}

export function numberPoints({ values }: MetricFamily): readonly Point[] {
  return values
    .filter(({ value }) => Number.isFinite(value))
    .map(({ labels, value }) => ({ attributes: textsOf(labels), value }));
}

export function histogramPoints({ name, values }: MetricFamily): readonly HistogramPoint[] {
  const series = new Map<string, MetricValue[]>();
  for (const value of values) {
    const { le: _, ...labels } = value.labels;
    const id = JSON.stringify(Object.entries(labels).sort());
    const found = series.get(id);
    if (found === undefined) series.set(id, [value]);
    else found.push(value);
  }
  return [...series.values()].map((parts) => {
    const buckets = parts
      .filter(({ metricName }) => metricName === `${name}_bucket`)
      .map(({ labels, value }) => ({ bound: boundOf(labels.le), value }))
      .sort((a, b) => a.bound - b.bound);
    const partOf = (suffix: string): number =>
      parts.find(({ metricName }) => metricName === `${name}_${suffix}`)?.value ?? 0;
    const { le: _, ...labels } = parts[0]?.labels ?? {};
    return {
      attributes: textsOf(labels),
      boundaries: buckets.filter(({ bound }) => Number.isFinite(bound)).map(({ bound }) => bound),
      counts: buckets.map(({ value }, at) => value - (buckets[at - 1]?.value ?? 0)),
      sum: partOf('sum'),
      count: partOf('count'),
    };
  });
}

function boundOf(le: string | number | undefined): number {
  return le === '+Inf' ? Number.POSITIVE_INFINITY : Number(le);
}

function textsOf(labels: MetricValue['labels']): Readonly<Record<string, string>> {
  return Object.fromEntries(Object.entries(labels).map(([name, value]) => [name, String(value)]));
}
