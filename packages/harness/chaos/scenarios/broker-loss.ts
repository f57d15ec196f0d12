import { findNats } from '../../nats/find-nats.ts';
import type { Scenario } from '../run/scenario.ts';
import { acceptedKey, untilRefused } from './parts.ts';

const stream = 'keyswarm_feed';

/** The broker's leader dies, all of it falls silent with healthy sockets, and every node is restarted in turn. */
export const brokerLoss: Scenario = {
  name: 'broker-loss',
  about:
    'With the feed on NATS: its leader is killed, the whole falls silent with healthy sockets, all are restarted in turn.',
  missing: () => findNats().missing,
  stage: { nats: true },
  sometimes: [
    'a revocation reached every verifier while the leader was dead',
    'a revocation reached every verifier while the broker was silent',
    'a node of the broker was restarted under load',
  ],
  async play(run) {
    const { nats } = run.stage;
    if (nats === undefined) throw new Error('there is no broker');
    const leader = await nats.streamLeader(stream);
    await run.fault({ name: 'leader of the broker killed', affects: [] }, async () => {
      await leader.signal('SIGKILL');
      await expectSpread(run, 'a revocation reached every verifier while the leader was dead');
      await run.seconds(run.isShort ? 1 : 4);
      await leader.start();
    });
    await run.fault({ name: 'broker silent, sockets open', affects: [] }, async () => {
      for (const node of nats.nodes) await node.signal('SIGSTOP');
      try {
        await expectSpread(run, 'a revocation reached every verifier while the broker was silent');
        await run.seconds(run.isShort ? 2 : 8);
      } finally {
        for (const node of nats.nodes) await node.signal('SIGCONT');
      }
    });
    for (const node of nats.nodes) {
      await run.fault({ name: `${node.name} of the broker restarted`, affects: [] }, async () => {
        await node.signal('SIGTERM');
        await run.seconds(0.5);
        await node.start();
      });
      run.reached('a node of the broker was restarted under load');
    }
  },
};

async function expectSpread(run: Parameters<Scenario['play']>[0], target: string): Promise<void> {
  const key = await acceptedKey(run, 'usual');
  if (!(await run.clerk.revoke(key))) return;
  const said = await Promise.all(run.stage.nodes.map(({ name }) => untilRefused(run, key, name, 10_000)));
  if (said.every((code) => code === 'revoked')) run.reached(target);
  else run.violate(`10 s after a revocation, with the relays there: ${said.join(', ')}`);
}
