import { type LossyWay, noNamespaces, openLossyWay } from '../../faults/index.ts';
import type { Run, Scenario } from '../run/scenario.ts';
import type { StageNode } from '../stage/stage.ts';
import { acceptedKey, isStaleAt, nodeAt, untilRefused } from './parts.ts';

/** A verifier hears its relays over a network that loses packets, some and then all. */
export const lossyNetwork: Scenario = {
  name: 'lossy-network',
  about:
    'A tenth of the packets between one verifier and its relays is lost, and then every one, in a network namespace; a key is revoked in both.',
  missing: noNamespaces,
  sometimes: [
    'packets were lost',
    'keys were verified while packets were lost',
    'a verifier that was cut off stopped by itself',
  ],
  async play(run) {
    const way = openLossyWay(run.stage.cluster.leftovers);
    const node = nodeAt(run, 0);
    const straight = node.links.map(({ target }) => target);
    run.later(() => way.close());
    for (const [at, link] of node.links.entries()) {
      const { host, port } = await way.to(straight[at] ?? link.target);
      link.retarget(port, host);
    }
    await run.seconds(1);
    const lossy = run.history.size;
    await lose(run, { way, node, share: 0.1, seconds: run.isShort ? 4 : 12 * run.length });
    run.reachedIf(
      'keys were verified while packets were lost',
      lossy,
      ({ at, code }) => at === node.name && code === 'valid',
    );
    const cut = run.history.size;
    await lose(run, { way, node, share: 1, seconds: 4 });
    run.reachedIf('a verifier that was cut off stopped by itself', cut, isStaleAt(node.name));
  },
};

interface Loss {
  readonly way: LossyWay;
  readonly node: StageNode;
  /** In [0, 1]. */
  readonly share: number;
  readonly seconds: number;
}

async function lose(run: Run, { way, node, share, seconds }: Loss): Promise<void> {
  const key = await acceptedKey(run);
  const name = `${node.name}: ${share * 100} % of its packets are lost`;
  await run.fault({ name, affects: [node.name] }, async () => {
    way.lose(share);
    await run.workload.revokeWatched(key);
    await run.seconds(seconds);
    if (way.lost() > 0) run.reached('packets were lost');
    run.note(`${way.lost()} packets were lost of ${share * 100} %`);
    way.lose(0);
  });
  if ((await untilRefused(run, key, node.name, 5_000)) === 'valid')
    run.violate(`${node.name} went on accepting a revoked key after its packets came again`);
}
