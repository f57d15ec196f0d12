import type { MetricData, MetricProducer } from '@opentelemetry/sdk-metrics';
import { ConfigError } from '../../config/config-error.ts';
import { otlpExportMsMax, otlpFlushMsMax, otlpSpansWaitingMax } from '../../limits.ts';
import type { Log } from '../../logging/log.ts';
import type { Clock } from '../../runtime/clock.ts';
import { within } from '../../runtime/within.ts';
import type { MetricFamily } from '../merge-families.ts';
import { histogramPoints, numberPoints } from './metric-points.ts';
import { parseTraceparent } from './parse-traceparent.ts';
import type { RequestSink } from './request-sink.ts';

/*
 * Metrics and traces to an OpenTelemetry collector, by its own SDK. Loaded only where an endpoint is set: nobody else
 * pays for it, in memory or at the start.
 *
 * The registry stays the one place that counts. Each interval its figures are read as a scrape reads them and handed to
 * the SDK as a producer's, so that what a collector shows and what Prometheus shows is the same.
 *
 * A span is made when a request has ended, with the times that were taken anyway: a request that is not sampled costs
 * an id and a comparison. The caller's trace is continued if it named one; whether it is kept is decided by its id and
 * our own share, not by what the caller asks for. A span says operation, status and time: no key, no id, no header.
 *
 * A collector that is away is never waited for: exports time out, what waits for them is bounded, and what does not fit
 * is dropped.
 */

export interface OtlpOptions {
  readonly endpoint: string;
  readonly intervalMs: number;
  /** Of a thousand traces. */
  readonly tracesPerThousand: number;
  readonly version: string;
  /** Names this process among those that export. */
  readonly instance: string;
  readonly families: () => Promise<readonly MetricFamily[]>;
  readonly clock: Pick<Clock, 'nowMs'>;
  readonly log: Log;
}

export interface Otlp {
  readonly sink: RequestSink;
  /** Sends what is there, if the collector takes it in time. */
  close(): Promise<void>;
}

export async function openOtlp(options: OtlpOptions): Promise<Otlp> {
  const { api, metrics, resources, trace, metricExport, traceExport } = await loadSdk();
  const url = (signal: string): string => `${options.endpoint.replace(/\/+$/, '')}/v1/${signal}`;
  api.diag.setLogger(
    {
      error: (text) => options.log.warn({ otlp: text.slice(0, 300) }, 'telemetry could not be exported'),
      warn() {},
      info() {},
      debug() {},
      verbose() {},
    },
    api.DiagLogLevel.ERROR,
  );
  const resource = resources.resourceFromAttributes({
    'service.name': 'keyswarm',
    'service.version': options.version,
    'service.instance.id': options.instance,
  });
  const beganMs = options.clock.nowMs();
  const producer: MetricProducer = {
    async collect() {
      const times = { startTime: hrTime(beganMs), endTime: hrTime(options.clock.nowMs()) };
      const data = (await options.families()).flatMap((family) => metricData(family, times, metrics));
      const scopeMetrics = [{ scope: { name: 'keyswarm', version: options.version }, metrics: data }];
      return { resourceMetrics: { resource, scopeMetrics }, errors: [] };
    },
  };
  const meters = new metrics.MeterProvider({
    resource,
    readers: [
      new metrics.PeriodicExportingMetricReader({
        exporter: new metricExport.OTLPMetricExporter({
          url: url('metrics'),
          timeoutMillis: otlpExportMsMax,
        }),
        exportIntervalMillis: options.intervalMs,
        exportTimeoutMillis: Math.min(otlpExportMsMax, options.intervalMs),
        metricProducers: [producer],
      }),
    ],
  });
  const tracers = new trace.TracerProvider({
    resource,
    sampler: new trace.TraceIdRatioBasedSampler(options.tracesPerThousand / 1000),
    spanProcessors: [
      new trace.BatchSpanProcessor({
        exporter: new traceExport.OTLPTraceExporter({ url: url('traces'), timeoutMillis: otlpExportMsMax }),
        maxQueueSize: otlpSpansWaitingMax,
      }),
    ],
  });
  const tracer = tracers.getTracer('keyswarm', options.version);
  return {
    sink: {
      request({ operation, status, durationMs, traceparent }) {
        const remote = parseTraceparent(traceparent);
        const parent =
          remote === undefined
            ? api.ROOT_CONTEXT
            : api.trace.setSpanContext(api.ROOT_CONTEXT, { ...remote, isRemote: true });
        const endMs = options.clock.nowMs();
        const attributes = { 'keyswarm.operation': operation, 'http.response.status_code': status };
        const kind = api.SpanKind.SERVER;
        const span = tracer.startSpan(operation, { kind, startTime: endMs - durationMs, attributes }, parent);
        if (status === 0 || status >= 500) span.setStatus({ code: api.SpanStatusCode.ERROR });
        span.end(endMs);
      },
    },
    async close() {
      await within(otlpFlushMsMax, Promise.allSettled([meters.shutdown(), tracers.shutdown()]));
      api.diag.disable();
    },
  };
}

type Metrics = typeof import('@opentelemetry/sdk-metrics');

async function loadSdk() {
  try {
    return {
      api: await import('@opentelemetry/api'),
      metrics: await import('@opentelemetry/sdk-metrics'),
      resources: await import('@opentelemetry/resources'),
      trace: await import('@opentelemetry/sdk-trace'),
      metricExport: await import('@opentelemetry/exporter-metrics-otlp-http'),
      traceExport: await import('@opentelemetry/exporter-trace-otlp-http'),
    };
  } catch (error) {
    if (!(error instanceof Error) || !('code' in error) || error.code !== 'ERR_MODULE_NOT_FOUND') throw error;
    throw new ConfigError(
      'KEYSWARM_OTLP_ENDPOINT',
      "the packages of OpenTelemetry's SDK to be installed, which they are not here (`npm ci`); or no endpoint",
    );
  }
}

function metricData(
  family: MetricFamily,
  times: { readonly startTime: [number, number]; readonly endTime: [number, number] },
  { AggregationTemporality, DataPointType }: Metrics,
): MetricData[] {
  const { name, help, type } = family;
  const descriptor = { name, description: help, unit: unitOf(name), valueType: 1 };
  const common = { descriptor, aggregationTemporality: AggregationTemporality.CUMULATIVE };
  if (type === 'histogram') {
    const dataPoints = histogramPoints(family).map(({ attributes, boundaries, counts, sum, count }) => ({
      ...times,
      attributes,
      value: { buckets: { boundaries, counts }, sum, count },
    }));
    return [{ ...common, dataPointType: DataPointType.HISTOGRAM, dataPoints }];
  }
  const dataPoints = numberPoints(family).map((point) => ({ ...times, ...point }));
  if (type === 'counter') {
    return [{ ...common, dataPointType: DataPointType.SUM, dataPoints, isMonotonic: true }];
  }
  return type === 'gauge' ? [{ ...common, dataPointType: DataPointType.GAUGE, dataPoints }] : [];
}

function unitOf(name: string): string {
  return /_seconds(_total)?$/.test(name) ? 's' : /_bytes$/.test(name) ? 'By' : '1';
}

function hrTime(unixMs: number): [number, number] {
  const seconds = Math.floor(unixMs / 1000);
  return [seconds, Math.round((unixMs - seconds * 1000) * 1e6)];
}
