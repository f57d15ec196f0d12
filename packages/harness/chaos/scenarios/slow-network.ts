import type { Scenario } from '../run/scenario.ts';
import { everybody } from './parts.ts';

/** Everything is slow, and comes in pieces: the database's wires and the verifiers'. */
export const slowNetwork: Scenario = {
  name: 'slow-network',
  about:
    'Every wire delays by 40 to 120 ms and carries pieces of 7 bytes at the most; then all connections are reset, twice a second.',
  sometimes: [
    'keys were verified while every wire was slow',
    'writes were acknowledged while every wire was slow',
  ],
  async play(run) {
    const { nodes, servers } = run.stage;
    const wires = [
      ...nodes.flatMap(({ links }) => links),
      ...servers.map(({ databaseLink }) => databaseLink),
    ];
    const since = run.history.size;
    await run.fault({ name: 'slow and sliced', affects: everybody(run) }, async () => {
      for (const wire of wires) wire.set({ latencyMs: 40, jitterMs: 80 });
      for (const { links } of nodes) for (const link of links) link.set({ latencyMs: 10, sliceBytes: 7 });
      await run.seconds(run.isShort ? 3 : 12 * run.length);
      for (const wire of wires) wire.heal();
    });
    run.reachedIf('keys were verified while every wire was slow', since, ({ code }) => code === 'valid');
    run.reachedIf(
      'writes were acknowledged while every wire was slow',
      since,
      ({ kind, outcome }) => kind !== 'verify' && outcome === 'ok',
    );
    await run.fault({ name: 'connections reset', affects: everybody(run) }, async () => {
      for (let turn = 0; turn < (run.isShort ? 4 : 16); turn += 1) {
        for (const wire of wires) if (run.random() < 0.5) wire.reset();
        await run.seconds(0.5);
      }
    });
  },
};
