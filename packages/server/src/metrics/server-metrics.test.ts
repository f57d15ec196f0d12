import { Registry } from 'prom-client';
import { afterEach, describe, expect, test } from 'vitest';
import { DenseHistogram } from './dense-histogram.ts';
import { type MetricsProbe, ServerMetrics } from './server-metrics.ts';

const probe: MetricsProbe = {
  leaseAgeMs: () => 1500,
  versions: () => 7,
  tableBytes: () => 4096,
  laneDepth: () => 3,
  inFlight: () => 2,
  feedLagRows: () => 0,
};

let metrics: ServerMetrics | undefined;
afterEach(() => metrics?.close());

describe('the dense histogram', () => {
  test('prints cumulative buckets, sum and count, and no series that was never observed', async () => {
    const registry = new Registry();
    const series = [
      { name: 'a', labels: { kind: 'a' } },
      { name: 'b', labels: { kind: 'b' } },
    ];
    const histogram = new DenseHistogram({ registry, name: 'h', help: 'H.', bounds: [1, 2], series });
    for (const value of [0.5, 1, 1.5, 9]) histogram.observe(0, value);
    expect(await registry.metrics()).toBe(
      [
        '# HELP h H.',
        '# TYPE h histogram',
        'h_bucket{kind="a",le="1"} 2',
        'h_bucket{kind="a",le="2"} 3',
        'h_bucket{kind="a",le="+Inf"} 4',
        'h_sum{kind="a"} 12',
        'h_count{kind="a"} 4',
        '',
      ].join('\n'),
    );
  });
});

describe('the metrics of the server', () => {
  test('count what happened under labels from closed sets', async () => {
    metrics = new ServerMetrics();
    metrics.watch(probe);
    metrics.request(ServerMetrics.placeOf('verifyKey'), 200, 3);
    metrics.request(ServerMetrics.placeOf('issueKey'), 0, 3);
    metrics.request(ServerMetrics.placeOf(undefined), 404, 3);
    metrics.verdict('revoked');
    metrics.verdict('stale');
    metrics.shed('caller');
    metrics.issuance('bulk', 12);
    metrics.lanes.committed({ shard: 1, writes: 4, weight: 4, rows: 4, durationMs: 6, waitedMs: 1 });
    const text = await metrics.registry.metrics();
    for (const expected of [
      'keyswarm_http_request_duration_seconds_count{operation="verifyKey",status="2xx"} 1',
      'keyswarm_http_request_duration_seconds_count{operation="issueKey",status="aborted"} 1',
      'keyswarm_http_request_duration_seconds_count{operation="none",status="4xx"} 1',
      'keyswarm_verifications_total{verdict="revoked"} 1',
      'keyswarm_verifications_total{verdict="stale"} 1',
      'keyswarm_verifications_total{verdict="valid"} 0',
      'keyswarm_shed_total{reason="caller"} 1',
      'keyswarm_issuance_duration_seconds_count{kind="bulk"} 1',
      'keyswarm_lane_batch_writes_sum 4',
      'keyswarm_lease_age_seconds 1.5',
      'keyswarm_resident_versions 7',
      'keyswarm_lane_depth 3',
    ]) {
      expect(text).toContain(`${expected}\n`);
    }
  });

  test('a second scrape shows the same counts, not their double', async () => {
    metrics = new ServerMetrics();
    metrics.verdict('valid');
    await metrics.registry.metrics();
    expect(await metrics.registry.metrics()).toContain('keyswarm_verifications_total{verdict="valid"} 1\n');
  });
});
