import type { AuthorityClock, Follower, ResidentVerifier } from '@keyswarm/verifier';
import { Gauge } from 'prom-client';
import type { ServerMetrics } from '../metrics/server-metrics.ts';
import type { FeedWatch, LinkState } from './feed-watch.ts';

export interface NodeProbe {
  readonly verifier: Pick<ResidentVerifier, 'applied' | 'quarantined'>;
  readonly follower: Pick<Follower, 'pushRecreations'>;
  readonly clock: Pick<AuthorityClock, 'uncertaintyMs'>;
  readonly link: Pick<FeedWatch, 'state'>;
}

const linkStates: readonly LinkState[] = [
  'starting',
  'following',
  'refused',
  'unreachable',
  'blocked',
  'stopped',
];

/** What a node says beyond what it has in common with a server. */
export function watchNode(metrics: Pick<ServerMetrics, 'registry'>, probe: NodeProbe): void {
  const { registry } = metrics;
  const gauge = (name: string, help: string, read: () => number) =>
    new Gauge({
      registers: [registry],
      name,
      help,
      collect() {
        this.set(read());
      },
    });
  gauge('keyswarm_applied_rows', 'Sum of the applied positions of all shards.', () =>
    probe.verifier.applied().seqs.reduce((sum, seq) => sum + seq, 0),
  );
  gauge(
    'keyswarm_quarantined_shards',
    'Shards of which a row can not be read.',
    () => probe.verifier.quarantined.length,
  );
  gauge(
    'keyswarm_push_recreations',
    'Subscriptions that were given up for deaf.',
    () => probe.follower.pushRecreations,
  );
  gauge(
    'keyswarm_clock_uncertainty_seconds',
    "By how much what is known of the authority's clock may be off; NaN before the first answer.",
    () => (Number.isFinite(probe.clock.uncertaintyMs) ? probe.clock.uncertaintyMs / 1000 : Number.NaN),
  );
  new Gauge({
    registers: [registry],
    name: 'keyswarm_feed_link',
    help: '1 for the state that the link to the relays is in.',
    labelNames: ['state'],
    collect() {
      for (const state of linkStates) this.set({ state }, probe.link.state === state ? 1 : 0);
    },
  });
}
