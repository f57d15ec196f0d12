import { monitorEventLoopDelay, performance } from 'node:perf_hooks';
import { type OperationId, operationIds } from '@keyswarm/contract';
import { refusalCodes, type VerdictCode } from '@keyswarm/core';
import { Counter, collectDefaultMetrics, Gauge, Registry } from 'prom-client';
import { DenseHistogram } from './dense-histogram.ts';
import { LaneMetrics } from './lane-metrics.ts';
import { latencyBounds } from './latency-bounds.ts';
import type { MetricFamily } from './merge-families.ts';
import type { RequestSink } from './otlp/request-sink.ts';
import { RotationMetrics } from './rotation-metrics.ts';
import type { VerifyReading } from './verify-load.ts';

/*
 * What the server says of itself to Prometheus. Every label takes its values from a closed set that is known
 * here: an operation, a class of statuses, a verdict, a reason. Never an id, a name or anything a caller sent,
 * since each new value is a new series for ever, and a caller could make millions.
 *
 * What is counted on the hot path is plain numbers in arrays and turns into text when it is scraped.
 */

export const statusClasses = ['2xx', '3xx', '4xx', '5xx', 'aborted'] as const;
export type StatusClass = (typeof statusClasses)[number];
export const shedReasons = [
  'requests',
  'verifications',
  'mutations',
  'write_wait',
  'caller',
  'body_bytes',
  'draining',
] as const;
export type ShedReason = (typeof shedReasons)[number];
const verdictOutcomes = ['valid', ...refusalCodes, 'stale'] as const satisfies readonly (
  | VerdictCode
  | 'stale'
)[];

/** Requests answered outside of any operation: unknown paths, wrong methods. */
const outside = 'none';
/** What proxies ask, which is no operation of the API. */
const gateway = 'forwardAuth';
const operationLabels = [...operationIds, gateway, outside] as const;

/** By which keys are verified over the wire. */
const verifying = ['verifyKey', 'verifyKeysBulk', gateway].map((label) =>
  (operationLabels as readonly string[]).indexOf(label),
);

/** What is asked for when the metrics are scraped. */
export interface MetricsProbe {
  leaseAgeMs(): number;
  versions(): number;
  tableBytes(): number;
  /** Absent where nothing is written. */
  laneDepth?(): number;
  inFlight(budget: 'verifications' | 'mutations'): number;
  /** Rows that were committed and have not been applied here yet, over all shards. */
  feedLagRows(): number;
}

export interface MetricsOptions {
  /** False in a process that only verifies: it has no lanes, and issues nothing. */
  readonly writes?: boolean;
}

export class ServerMetrics {
  readonly registry = new Registry();
  readonly lanes: LaneMetrics;
  readonly rotations: RotationMetrics;
  /** Hears of every request that ended, where somebody wants to. */
  requestSink: RequestSink | undefined;
  readonly #http: DenseHistogram<string>;
  readonly #issuance: DenseHistogram<string>;
  readonly #verdictCounts = new Float64Array(verdictOutcomes.length);
  readonly #verdictPlaces = new Map<string, number>(verdictOutcomes.map((code, place) => [code, place]));
  readonly #shed: Counter<'reason'>;
  readonly #broken: Counter;
  readonly #loopDelay: ReturnType<typeof monitorEventLoopDelay>;

  constructor({ writes = true }: MetricsOptions = {}) {
    const registry = this.registry;
    // What is never counted here is never shown: a series that stays at nought looks like a fault.
    const ofWrites = writes ? registry : new Registry();
    collectDefaultMetrics({ register: registry, prefix: 'keyswarm_' });
    this.#http = new DenseHistogram({
      registry,
      name: 'keyswarm_http_request_duration_seconds',
      help: 'From the head of a request to the end of its response, by operation and class of status.',
      bounds: latencyBounds,
      series: operationLabels.flatMap((operation) =>
        statusClasses.map((status) => ({ name: `${operation} ${status}`, labels: { operation, status } })),
      ),
    });
    this.#issuance = new DenseHistogram({
      registry: ofWrites,
      name: 'keyswarm_issuance_duration_seconds',
      help: 'From a decoded request for keys to their durable commit.',
      bounds: latencyBounds,
      series: ['single', 'bulk', 'import', 'rotate'].map((name) => ({ name, labels: { kind: name } })),
    });
    this.#shed = new Counter({
      registers: [registry],
      name: 'keyswarm_shed_total',
      help: 'Requests turned away at the door, by the bound that was reached.',
      labelNames: ['reason'],
    });
    for (const reason of shedReasons) this.#shed.inc({ reason }, 0);
    this.#broken = new Counter({
      registers: [registry],
      name: 'keyswarm_internal_errors_total',
      help: 'Requests that failed by a fault of the server: each one is a bug.',
    });
    this.lanes = new LaneMetrics(ofWrites);
    this.rotations = new RotationMetrics(ofWrites);
    this.#registerVerdicts();
    this.#loopDelay = monitorEventLoopDelay({ resolution: 10 });
    this.#loopDelay.enable();
  }

  /** Ends what the metrics hold open. */
  close(): void {
    this.#loopDelay.disable();
    this.registry.clear();
  }

  /** What this process counts, as figures: for whoever puts several processes together. */
  async families(): Promise<readonly MetricFamily[]> {
    return (await this.registry.getMetricsAsJSON()) as unknown as readonly MetricFamily[];
  }

  /** The same of some families only: what reading the others does (a delay that is counted anew) is left alone. */
  async familiesNamed(names: readonly string[]): Promise<readonly MetricFamily[]> {
    const metrics = names.flatMap((name) => this.registry.getSingleMetric(name) ?? []);
    return (await Promise.all(metrics.map((metric) => metric.get()))) as unknown as readonly MetricFamily[];
  }

  /** Place of an operation for `request`; undefined: outside of any. */
  static placeOf(operation: OperationId | typeof gateway | undefined): number {
    return operationLabels.indexOf(operation ?? outside);
  }

  static nameOf(operationPlace: number): string {
    return operationLabels[operationPlace] ?? outside;
  }

  request(operationPlace: number, status: number, durationMs: number): void {
    // A status of 0 stands for a client that went away before it was answered.
    const statusPlace = status === 0 ? 4 : Math.min(3, Math.max(0, Math.floor(status / 100) - 2));
    this.#http.observe(operationPlace * statusClasses.length + statusPlace, durationMs / 1000);
  }

  /** Of verifications: what goes by how they fare. */
  verifyReading(): VerifyReading {
    const places = (status: StatusClass) =>
      verifying.map((operation) => operation * statusClasses.length + statusClasses.indexOf(status));
    const failed = this.#http.sumOf(places('5xx')).reduce((sum, count) => sum + count, 0);
    const { active: activeMs, idle: idleMs } = performance.eventLoopUtilization();
    const loop = { activeMs, idleMs };
    return { buckets: this.#http.sumOf(places('2xx')), boundsSeconds: this.#http.bounds, failed, loop };
  }

  issuance(kind: 'single' | 'bulk' | 'import' | 'rotate', durationMs: number): void {
    const place = kind === 'single' ? 0 : kind === 'bulk' ? 1 : kind === 'import' ? 2 : 3;
    this.#issuance.observe(place, durationMs / 1000);
  }

  verdict(code: VerdictCode | 'stale'): void {
    const place = this.#verdictPlaces.get(code);
    if (place !== undefined) this.#verdictCounts[place] = (this.#verdictCounts[place] ?? 0) + 1;
  }

  shed(reason: ShedReason): void {
    this.#shed.inc({ reason });
  }

  internalError(): void {
    this.#broken.inc();
  }

  /** Gauges that read what they show when they are scraped. */
  watch(probe: MetricsProbe): void {
    // Of several workers: what each of them has is added up, what all of them have alike is that of the worst.
    const gauge = (name: string, help: string, read: () => number, aggregator: 'sum' | 'max' = 'sum') =>
      new Gauge({
        registers: [this.registry],
        name,
        help,
        aggregator,
        collect() {
          this.set(read());
        },
      });
    gauge(
      'keyswarm_lease_age_seconds',
      'Age of what this verifier can prove it has seen.',
      () => Math.min(probe.leaseAgeMs() / 1000, Number.MAX_SAFE_INTEGER),
      'max',
    );
    gauge('keyswarm_resident_versions', 'Key versions in the resident table.', () => probe.versions(), 'max');
    gauge('keyswarm_resident_table_bytes', 'Bytes of the resident table.', () => probe.tableBytes());
    const { laneDepth } = probe;
    if (laneDepth !== undefined) gauge('keyswarm_lane_depth', 'Writes that wait for a batch.', laneDepth);
    gauge(
      'keyswarm_feed_lag_rows',
      'Rows committed and not applied here yet.',
      () => probe.feedLagRows(),
      'max',
    );
    for (const budget of ['verifications', 'mutations'] as const) {
      gauge(`keyswarm_${budget}_in_flight`, `Requests of this class under way.`, () =>
        probe.inFlight(budget),
      );
    }
    const nsToSeconds = (ns: number) => (Number.isFinite(ns) ? ns / 1e9 : 0);
    gauge(
      'keyswarm_event_loop_delay_p99_seconds',
      'Delay of the event loop since the last scrape, p99.',
      () => {
        const delay = nsToSeconds(this.#loopDelay.percentile(99));
        this.#loopDelay.reset();
        return delay;
      },
      'max',
    );
  }

  #registerVerdicts(): void {
    const counts = this.#verdictCounts;
    new Counter({
      registers: [this.registry],
      name: 'keyswarm_verifications_total',
      help: 'Verifications by verdict; `stale` where none could be given.',
      labelNames: ['verdict'],
      collect() {
        this.reset();
        for (const [place, verdict] of verdictOutcomes.entries()) this.inc({ verdict }, counts[place] ?? 0);
      },
    });
  }
}
