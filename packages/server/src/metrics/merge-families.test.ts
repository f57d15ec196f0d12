import { Gauge, Histogram, Registry } from 'prom-client';
import { describe, expect, test } from 'vitest';
import { DenseHistogram } from './dense-histogram.ts';
import { familiesText, type MetricFamily, mergeFamilies } from './merge-families.ts';
import { ServerMetrics } from './server-metrics.ts';

const familiesOf = async (registry: Registry): Promise<readonly MetricFamily[]> =>
  (await registry.getMetricsAsJSON()) as unknown as readonly MetricFamily[];

describe('the metrics of several processes', () => {
  test('add up bucket by bucket, dense histograms and others alike', async () => {
    const registries = [
      [0.5, 9],
      [1.5, 1.5, 1.5],
    ].map((values) => {
      const registry = new Registry();
      const series = [{ name: 'a', labels: { kind: 'a' } }];
      const dense = new DenseHistogram({ registry, name: 'd', help: 'D.', bounds: [1, 2], series });
      const plain = new Histogram({ registers: [registry], name: 'p', help: 'P.', buckets: [1, 2] });
      for (const value of values) {
        dense.observe(0, value);
        plain.observe(value);
      }
      return registry;
    });
    const merged = mergeFamilies(await Promise.all(registries.map(familiesOf)));
    const text = await familiesText(merged);
    for (const line of [
      'd_bucket{kind="a",le="1"} 1',
      'd_bucket{kind="a",le="2"} 4',
      'd_bucket{kind="a",le="+Inf"} 5',
      'd_sum{kind="a"} 14',
      'd_count{kind="a"} 5',
      'p_bucket{le="1"} 1',
      'p_bucket{le="+Inf"} 5',
      'p_count 5',
    ]) {
      expect(text).toContain(`${line}\n`);
    }
  });

  test('read like those of one process when there is one', async () => {
    const metrics = new ServerMetrics();
    metrics.verdict('valid');
    metrics.request(ServerMetrics.placeOf('verifyKey'), 200, 3);
    metrics.lanes.committed({ shard: 1, writes: 4, weight: 4, rows: 4, durationMs: 6, waitedMs: 1 });
    const names = (text: string) => [...text.matchAll(/^# TYPE (\S+)/gm)].map(([, name]) => name);
    const counts = (text: string) => text.match(/^keyswarm_(http|verifications|lane|shed).*$/gm);
    const own = await metrics.registry.metrics();
    const merged = await familiesText(mergeFamilies([await metrics.families()]));
    // What has no meaning for several: when a process started.
    const expected = names(own).filter((name) => name !== 'keyswarm_process_start_time_seconds');
    expect(names(merged)).toEqual(expected);
    expect(counts(merged)).toEqual(counts(own));
    metrics.close();
  });

  test('do not add ages and lags: the worst counts', async () => {
    const probe = (leaseAgeMs: number) => ({
      leaseAgeMs: () => leaseAgeMs,
      versions: () => 7,
      tableBytes: () => 4096,
      laneDepth: () => 3,
      inFlight: () => 2,
      feedLagRows: () => leaseAgeMs / 100,
    });
    const servers = [1500, 500].map((leaseAgeMs) => {
      const metrics = new ServerMetrics();
      metrics.watch(probe(leaseAgeMs));
      return metrics;
    });
    const text = await familiesText(mergeFamilies(await Promise.all(servers.map((each) => each.families()))));
    for (const line of [
      'keyswarm_lease_age_seconds 1.5',
      'keyswarm_feed_lag_rows 15',
      'keyswarm_resident_versions 7',
      'keyswarm_resident_table_bytes 8192',
      'keyswarm_lane_depth 6',
      'keyswarm_verifications_in_flight 4',
    ]) {
      expect(text).toContain(`${line}\n`);
    }
    for (const server of servers) server.close();
  });

  test('skip a figure that is not a number', async () => {
    const families = [Number.NaN, 2].map((value) => {
      const registry = new Registry();
      new Gauge({ registers: [registry], name: 'g', help: 'G.', aggregator: 'average' }).set(value);
      return familiesOf(registry);
    });
    expect(await familiesText(mergeFamilies(await Promise.all(families)))).toContain('g 2\n');
  });
});
