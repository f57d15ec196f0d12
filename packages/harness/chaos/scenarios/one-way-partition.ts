import type { TcpFault } from '../../faults/index.ts';
import type { Scenario } from '../run/scenario.ts';
import { acceptedKey, isStaleAt, nodeAt, untilRefused } from './parts.ts';

const ways: readonly { readonly name: string; readonly fault: TcpFault }[] = [
  { name: 'its asks are lost, answers would come', fault: { hold: 'to_server' } },
  { name: 'its asks arrive, answers are lost', fault: { hold: 'to_client' } },
  { name: 'every connection is reset', fault: { refuse: true } },
];

/** A verifier is heard and hears nothing, or hears and is not heard. */
export const oneWayPartition: Scenario = {
  name: 'one-way-partition',
  about:
    'What one verifier asks is lost, or what it is answered, or every connection is reset; a key is revoked in each.',
  sometimes: [
    'a verifier that was not heard stopped by itself',
    'a verifier that heard nothing stopped by itself',
    'a verifier whose connections were reset stopped by itself',
  ],
  async play(run) {
    for (const [at, { name, fault }] of ways.entries()) {
      const node = nodeAt(run, at % run.stage.nodes.length);
      const key = await acceptedKey(run);
      const since = run.history.size;
      await run.fault({ name: `${node.name}: ${name}`, affects: [node.name] }, async () => {
        node.cut(fault);
        if (fault.refuse === true) node.reset();
        await run.workload.revokeWatched(key);
        await run.seconds(3.5);
        node.heal();
      });
      run.reachedIf(this.sometimes[at] ?? '', since, isStaleAt(node.name));
      if ((await untilRefused(run, key, node.name, 5_000)) === 'valid')
        run.violate(`${node.name} went on accepting a revoked key after its links were back`);
    }
  },
};
