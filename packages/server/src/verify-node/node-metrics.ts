import type { Verifier, VerifierState } from '@keyswarm/verifier';
import { Gauge } from 'prom-client';
import { readMetrics } from '../metrics/read-metrics.ts';
import type { ServerMetrics } from '../metrics/server-metrics.ts';

const states: readonly VerifierState[] = ['loading', 'fresh', 'aging', 'stale', 'refused', 'closed'];

/** What a node says beyond what it has in common with a server. */
export function watchNode(
  { registry }: Pick<ServerMetrics, 'registry'>,
  verifier: Pick<Verifier, 'stats' | 'state' | 'clock'>,
): void {
  const { counter, gauge } = readMetrics(registry);
  gauge(
    'keyswarm_applied_seq',
    'Sum of the applied positions of all shards.',
    () => verifier.stats().appliedSeq,
  );
  gauge(
    'keyswarm_quarantined_shards',
    'Shards of which a row can not be read.',
    () => verifier.stats().quarantinedShards,
  );
  gauge(
    'keyswarm_clock_uncertainty_seconds',
    "By how much what is known of the authority's clock may be off; NaN before the first lease.",
    () => uncertaintySeconds(verifier),
  );
  counter(
    'keyswarm_relay_outages_total',
    'Times that no relay could be read.',
    () => verifier.stats().disconnects,
  );
  counter(
    'keyswarm_relay_moves_total',
    'Times that another relay was moved to.',
    () => verifier.stats().relayMoves,
  );
  counter('keyswarm_snapshots_total', 'Snapshots asked for.', () => verifier.stats().snapshots);
  counter(
    'keyswarm_push_recreations_total',
    'Subscriptions that were given up for deaf.',
    () => verifier.stats().pushRecreations,
  );
  new Gauge({
    registers: [registry],
    name: 'keyswarm_verifier_state',
    help: '1 for the state that the verifier is in.',
    labelNames: ['state'],
    collect() {
      const { state: now } = verifier;
      for (const state of states) this.set({ state }, state === now ? 1 : 0);
    },
  });
}

function uncertaintySeconds(verifier: Pick<Verifier, 'stats' | 'clock'>): number {
  const { clock } = verifier;
  return verifier.stats().leaseAgeMs < 0 ? Number.NaN : (clock.latestMs() - clock.earliestMs()) / 2_000;
}
