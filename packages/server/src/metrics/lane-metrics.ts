import type { FaultCode } from '@keyswarm/core';
import { Counter, Histogram, type Registry } from 'prom-client';
import type { BatchReport, LaneObserver, RerunReason } from '../lanes/lane-observer.ts';

/** What the lanes report, as metrics. A batch is rare beside a request, so prom-client's own types will do. */
export class LaneMetrics implements LaneObserver {
  readonly #commit: Histogram;
  readonly #waited: Histogram;
  readonly #size: Histogram;
  readonly #reruns: Counter<'reason'>;
  readonly #refused: Counter<'code'>;
  readonly #shortcuts: Counter;

  constructor(registry: Registry) {
    const registers = [registry];
    const buckets = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30];
    this.#commit = new Histogram({
      registers,
      buckets,
      name: 'keyswarm_lane_commit_seconds',
      help: 'From the first BEGIN of a batch to its last COMMIT.',
    });
    this.#waited = new Histogram({
      registers,
      buckets,
      name: 'keyswarm_lane_wait_seconds',
      help: 'How long the oldest write of a batch had waited for it.',
    });
    this.#size = new Histogram({
      registers,
      buckets: [1, 2, 5, 10, 20, 50, 100, 200, 500, 1000],
      name: 'keyswarm_lane_batch_writes',
      help: 'Writes that shared one transaction.',
    });
    this.#reruns = new Counter({
      registers,
      name: 'keyswarm_lane_reruns_total',
      help: 'Batches that were run again, by cause.',
      labelNames: ['reason'],
    });
    this.#refused = new Counter({
      registers,
      name: 'keyswarm_lane_refused_total',
      help: 'Writes that the lanes turned away or failed, by code.',
      labelNames: ['code'],
    });
    this.#shortcuts = new Counter({
      registers,
      name: 'keyswarm_lane_shortcut_failures_total',
      help: 'Committed batches that this process could not apply at once; the feed brings them.',
    });
  }

  /** Depth is read when it is scraped; nothing to count here. */
  queued(): void {}

  committed(report: BatchReport): void {
    this.#commit.observe(report.durationMs / 1000);
    this.#waited.observe(report.waitedMs / 1000);
    this.#size.observe(report.writes);
  }

  rerun(_shard: number, reason: RerunReason): void {
    this.#reruns.inc({ reason });
  }

  refused(_shard: number, code: FaultCode): void {
    this.#refused.inc({ code });
  }

  shortcutFailed(): void {
    this.#shortcuts.inc();
  }
}
