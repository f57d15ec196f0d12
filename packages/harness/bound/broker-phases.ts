import type { NatsCluster } from '../nats/index.ts';
import { type Phases, underFault } from './phases.ts';

const stream = 'keyswarm_feed';

/** The broker's leader killed, then every node of it sent away and started again, one after another. */
export async function brokerPhases(phases: Phases, nats: NatsCluster): Promise<void> {
  const ages = watchAges(phases);
  const leader = await nats.streamLeader(stream);
  await underFault(phases, {
    name: `NATS leader ${leader.name} killed`,
    node: -1,
    lastsMs: 6_000,
    begin: () => leader.signal('SIGKILL'),
    end: () => leader.start(),
  });
  phases.report('', `the oldest lease seen meanwhile was ${ages.take()} ms`);
  await underFault(phases, {
    name: 'NATS rolling restart',
    node: -1,
    lastsMs: 9_000,
    begin: async () => {
      for (const node of nats.nodes) {
        await node.signal('SIGTERM');
        await new Promise((resolve) => setTimeout(resolve, 1_000));
        await node.start();
        await new Promise((resolve) => setTimeout(resolve, 1_000));
      }
    },
    end: () => {},
  });
  phases.report('', `the oldest lease seen meanwhile was ${ages.take()} ms`);
  await underFault(phases, {
    name: 'NATS gone altogether',
    node: -1,
    lastsMs: 6_000,
    begin: async () => {
      for (const node of nats.nodes) await node.signal('SIGKILL');
    },
    end: async () => {
      await Promise.all(nats.nodes.map((node) => node.start()));
    },
  });
  phases.report('', `the oldest lease seen meanwhile was ${ages.take()} ms`);
  ages.stop();
}

/** The oldest lease of any node, looked at four times a second. */
function watchAges({ cluster }: Phases): { take(): number; stop(): void } {
  let oldestS = 0;
  const timer = setInterval(() => {
    for (const node of cluster.nodes) {
      void node.metric('keyswarm_lease_age_seconds').then(
        (ageS) => {
          oldestS = Math.max(oldestS, Number.isNaN(ageS) ? 0 : ageS);
        },
        () => {},
      );
    }
  }, 250);
  return {
    take() {
      const taken = Math.round(oldestS * 1000);
      oldestS = 0;
      return taken;
    },
    stop: () => clearInterval(timer),
  };
}
