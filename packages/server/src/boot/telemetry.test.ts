import { createServer, type Server } from 'node:http';
import { afterEach, describe, expect, it } from 'vitest';
import { createLog } from '../logging/log.ts';
import { histogramPoints } from '../metrics/otlp/metric-points.ts';
import { openOtlp } from '../metrics/otlp/open-otlp.ts';
import { parseTraceparent } from '../metrics/otlp/parse-traceparent.ts';
import { systemClock } from '../runtime/clock.ts';
import { createPgliteStore } from '../storage/pglite/pglite-store.ts';
import { issue, makeKeyspace } from './suite/fixtures.ts';
import { startTestServer } from './suite/test-server.ts';

const collectors: Server[] = [];
afterEach(() => {
  for (const collector of collectors.splice(0)) collector.close().closeAllConnections();
});

/** What a collector is sent, by path. */
async function startCollector() {
  const got: { readonly path: string; readonly body: string }[] = [];
  const collector = createServer((request, response) => {
    let body = '';
    request.on('data', (chunk: Buffer) => {
      body += chunk.toString();
    });
    request.on('end', () => {
      got.push({ path: request.url ?? '', body });
      response.writeHead(200, { 'content-type': 'application/json' }).end('{}');
    });
  });
  collectors.push(collector);
  await new Promise<void>((resolve) => collector.listen(0, '127.0.0.1', resolve));
  const address = collector.address();
  if (address === null || typeof address === 'string') throw new Error('the collector has no port');
  return { url: `http://127.0.0.1:${address.port}`, got };
}

const traceId = '4bf92f3577b34da6a3ce929d0e0e4736';

describe('a server with a collector', () => {
  it('sends it what a scrape shows and the traces that callers began, and no secret', async () => {
    const { url, got } = await startCollector();
    const config = { otlpEndpoint: url, otlpTracesPerThousand: 1_000 };
    const server = await startTestServer({ store: await createPgliteStore(), config });
    const { name } = await makeKeyspace(server);
    const { secret } = await issue(server, name);
    const headers = { traceparent: `00-${traceId}-00f067aa0ba902b7-01` };
    await server.post('/v1/keys/verify', { key: secret, keyspace: name }, { headers });
    await server.close();

    const of = (path: string) => got.filter((each) => each.path === path).map(({ body }) => body);
    const metrics = of('/v1/metrics').join('\n');
    expect(metrics).toContain('"keyswarm_verifications_total"');
    expect(metrics).toContain('"keyswarm_issuance_duration_seconds"');
    expect(metrics).toContain('"explicitBounds"');
    const traces = of('/v1/traces').join('\n');
    expect(traces).toContain(`"traceId":"${traceId}"`);
    expect(traces).toContain('"parentSpanId":"00f067aa0ba902b7"');
    expect(traces).toContain('"verifyKey"');
    for (const { body } of got) {
      expect(body).not.toContain(secret);
      expect(body).not.toContain(server.rootKey);
    }
  });

  it('serves and ends as ever when the collector is gone', async () => {
    const { url } = await startCollector();
    for (const collector of collectors.splice(0)) collector.close();
    const otlp = await openOtlp({
      endpoint: url,
      intervalMs: 60_000,
      tracesPerThousand: 1_000,
      version: '0',
      instance: 'a',
      families: async () => [],
      clock: systemClock,
      log: createLog('silent'),
    });
    otlp.sink.request({ operation: 'verifyKey', status: 200, durationMs: 1, traceparent: undefined });
    await otlp.close();
  });
});

describe('a traceparent', () => {
  it('that is none, is too long or names nobody is as if it had not come', () => {
    const good = `00-${traceId}-00f067aa0ba902b7-01`;
    expect(parseTraceparent(good)).toEqual({ traceId, spanId: '00f067aa0ba902b7', traceFlags: 1 });
    for (const bad of [
      undefined,
      '',
      'x',
      good.toUpperCase(),
      `ff${good.slice(2)}`,
      good.replace(traceId, '0'.repeat(32)),
      good.replace('00f067aa0ba902b7', '0'.repeat(16)),
      `${good}-${'a'.repeat(600)}`,
    ]) {
      expect(parseTraceparent(bad), String(bad)).toBeUndefined();
    }
  });
});

describe('a histogram for a collector', () => {
  it('has the counts of each bucket by itself, and as many more than bounds as there are above them all', () => {
    const part = (metricName: string, value: number, le?: string) => ({
      metricName,
      value,
      labels: { kind: 'a', ...(le === undefined ? {} : { le }) },
    });
    const values = [
      part('h_bucket', 2, '1'),
      part('h_bucket', 3, '2'),
      part('h_bucket', 4, '+Inf'),
      part('h_sum', 12),
      part('h_count', 4),
    ];
    const family = { name: 'h', help: '', type: 'histogram', aggregator: 'sum', values } as const;
    expect(histogramPoints(family)).toEqual([
      { attributes: { kind: 'a' }, boundaries: [1, 2], counts: [2, 1, 1], sum: 12, count: 4 },
    ]);
  });
});
