import { type FeedProxy, startFeedProxy } from '../../faults/index.ts';
import type { Run, Scenario } from '../run/scenario.ts';
import { acceptedKey, nodeAt, untilRefused } from './parts.ts';

/** What is pushed to a verifier is withheld behind healthy heartbeats, sent again, and sent in another order. */
export const lyingFeed: Scenario = {
  name: 'lying-feed',
  about:
    'What is pushed to one verifier is withheld behind healthy heartbeats, sent three times, and in an order of chance.',
  sometimes: [
    'rows were withheld',
    'rows were sent again',
    'rows were sent in another order',
    'rows that were asked for were not given',
  ],
  async play(run) {
    const node = nodeAt(run, 0);
    const proxies = await Promise.all(
      node.links.map((link) => startFeedProxy({ port: link.target, random: run.random })),
    );
    try {
      for (const [at, link] of node.links.entries()) link.retarget(proxies[at]?.port ?? 0);
      await run.seconds(2);
      const seconds = run.isShort ? 2 : 8;
      await under(run, { name: 'rows withheld behind heartbeats', seconds, proxies }, { stream: 'withhold' });
      await under(
        run,
        { name: 'rows sent again and out of order', seconds, proxies },
        { duplicates: 3, reorderWindow: 8 },
      );
      await under(
        run,
        { name: 'rows withheld, and none given who asks', seconds, proxies },
        { stream: 'withhold', rows: 'hold' },
      );
      const sum = (pick: (counts: FeedProxy['counts']) => number) =>
        proxies.reduce((all, { counts }) => all + pick(counts), 0);
      if (sum(({ withheld }) => withheld) > 0) run.reached('rows were withheld');
      if (sum(({ duplicated }) => duplicated) > 0) run.reached('rows were sent again');
      if (sum(({ reordered }) => reordered) > 0) run.reached('rows were sent in another order');
      if (sum(({ rowReadsHeld }) => rowReadsHeld) > 0) run.reached('rows that were asked for were not given');
      for (const [at, link] of node.links.entries())
        link.retarget(run.stage.servers[at]?.port ?? link.target);
    } finally {
      await Promise.all(proxies.map((proxy) => proxy.close()));
    }
  },
};

async function under(
  run: Run,
  fault: { readonly name: string; readonly seconds: number; readonly proxies: readonly FeedProxy[] },
  lie: Parameters<FeedProxy['set']>[0],
): Promise<void> {
  const node = nodeAt(run, 0);
  const key = await acceptedKey(run);
  await run.fault({ name: `${node.name}: ${fault.name}`, affects: [node.name] }, async () => {
    for (const proxy of fault.proxies) proxy.set(lie);
    await run.workload.revokeWatched(key);
    await run.seconds(fault.seconds);
    for (const proxy of fault.proxies) proxy.heal();
  });
  if ((await untilRefused(run, key, node.name, 5_000)) === 'valid')
    run.violate(`${node.name} went on accepting a revoked key after it was told everything`);
}
