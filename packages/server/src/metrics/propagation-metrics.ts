import type { EventType } from '@keyswarm/core';
import type { AppliedObserver, VerifierClock } from '@keyswarm/verifier';
import type { Registry } from 'prom-client';
import { DenseHistogram } from './dense-histogram.ts';
import { latencyBounds } from './latency-bounds.ts';

/** What makes a key refused that was accepted. */
const ends: readonly EventType[] = [
  'key.revoked',
  'key.suspended',
  'key.retired',
  'owner.suspended',
  'owner.keys_revoked',
  'keyspace.suspended',
  'keyspace.keys_revoked',
  'signing_key.revoked',
];
const beyond = [15, 30, 60, 300, 600];

/**
 * How long revocations take to get here: from their date, which the store gave, until this verifier refuses, by what it
 * knows of the store's clock. What was missed while this process was not there comes with a snapshot and is not counted;
 * what came late because a link was down is.
 */
export class PropagationMetrics implements AppliedObserver {
  readonly #seconds: DenseHistogram<string>;
  readonly #clock: Pick<VerifierClock, 'earliestMs' | 'latestMs'>;

  constructor(registry: Registry, clock: Pick<VerifierClock, 'earliestMs' | 'latestMs'>) {
    this.#clock = clock;
    this.#seconds = new DenseHistogram({
      registry,
      name: 'keyswarm_revocation_propagation_seconds',
      help: 'From the date of a revocation, suspension or retirement until it is applied here.',
      bounds: [...latencyBounds, ...beyond],
      series: [{ name: 'all', labels: {} }],
    });
  }

  applied({ rows }: Parameters<AppliedObserver['applied']>[0]): void {
    for (const { type, atMs } of rows) {
      if (!ends.includes(type)) continue;
      const nowMs = (this.#clock.earliestMs() + this.#clock.latestMs()) / 2;
      // Before the first lease nothing is known of the store's clock.
      if (Number.isFinite(nowMs)) this.#seconds.observe(0, Math.max(0, nowMs - atMs) / 1000);
    }
  }

  reloaded(): void {}
}
