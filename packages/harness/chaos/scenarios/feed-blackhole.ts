import type { Scenario } from '../run/scenario.ts';
import { acceptedKey, isStaleAt, nodeAt, untilRefused } from './parts.ts';

/** Every link of one verifier swallows what is sent, with all its sockets open, while keys are revoked. */
export const feedBlackhole: Scenario = {
  name: 'feed-blackhole',
  about:
    'The links of one verifier swallow everything, sockets open; a key that it accepts is revoked meanwhile.',
  sometimes: [
    'it accepted a key after its revocation was acknowledged elsewhere',
    'it stopped by itself with 503 stale',
    'the others went on',
  ],
  async play(run) {
    for (let turn = 0; turn < (run.isShort ? 1 : Math.round(3 * run.length)); turn += 1) {
      const node = nodeAt(run, turn % run.stage.nodes.length);
      const key = await acceptedKey(run);
      const since = run.history.size;
      await run.fault({ name: `links of ${node.name} blackholed`, affects: [node.name] }, async () => {
        node.cut({ hold: 'both' });
        await run.workload.revokeWatched(key);
        await run.seconds(run.isShort ? 3 : 6);
        // What was held comes late: old answers, which have to be worth nothing.
        node.heal();
      });
      const code = await untilRefused(run, key, node.name, 5_000);
      if (code === 'valid')
        run.violate(`${node.name} went on accepting a revoked key after its links were back`);
      const acked = run.history
        .operations()
        .find(
          ({ key: number, kind, outcome }) => number === key.number && kind === 'revoke' && outcome === 'ok',
        );
      run.reachedIf(
        'it accepted a key after its revocation was acknowledged elsewhere',
        since,
        (one) =>
          one.at === node.name &&
          one.key === key.number &&
          one.code === 'valid' &&
          one.settledMs > (acked?.settledMs ?? Number.NaN),
      );
      run.reachedIf('it stopped by itself with 503 stale', since, isStaleAt(node.name));
      run.reachedIf(
        'the others went on',
        since,
        ({ at, code: said }) => at !== node.name && said === 'valid',
      );
    }
  },
};
