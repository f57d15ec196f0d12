import { Gauge, type Registry } from 'prom-client';
import { readMetrics } from './read-metrics.ts';

/** What is asked for when the metrics are scraped. */
export interface RelayProbe {
  counts(): { readonly asks: number; readonly headReads: number };
  inside(kind: 'lease' | 'snapshot' | 'stream'): number;
  readonly snapshots: number;
  verifiers(): { readonly active: number; readonly silent: number };
  /** Rows that the verifier furthest behind had not applied when it last asked. */
  lagRows(): number;
  /** Of those that ask of late, the oldest lease, with how long it has not been heard of since; 0 where there is none. */
  oldestLeaseMs(): number;
  quarantinedShards(): number;
}

/** What a relay says of itself and of those who follow it. */
export function watchRelay(registry: Registry, probe: RelayProbe): void {
  const { counter, gauge } = readMetrics(registry);
  counter(
    'keyswarm_relay_head_reads_total',
    'Reads of the heads that lease asks took.',
    () => probe.counts().headReads,
  );
  counter('keyswarm_relay_snapshots_total', 'Snapshots that were begun.', () => probe.snapshots);
  gauge('keyswarm_relay_streams', 'Streams of the feed that are open.', () => probe.inside('stream'));
  gauge('keyswarm_relay_lag_rows', 'Rows that the verifier furthest behind has not applied.', () =>
    probe.lagRows(),
  );
  gauge(
    'keyswarm_relay_oldest_lease_seconds',
    'Oldest lease of the verifiers that ask this relay, with how long it has not been heard of.',
    () => probe.oldestLeaseMs() / 1000,
    'max',
  );
  gauge('keyswarm_quarantined_shards', 'Shards of which a row can not be read here.', () =>
    probe.quarantinedShards(),
  );
  new Gauge({
    registers: [registry],
    name: 'keyswarm_relay_verifiers',
    help: 'Verifiers that ask this relay: those that have asked of late, and those that have not.',
    labelNames: ['state'],
    collect() {
      const { active, silent } = probe.verifiers();
      this.set({ state: 'active' }, active);
      this.set({ state: 'silent' }, silent);
    },
  });
}
