import { isAcceptance } from '../history/operation.ts';
import type { Scenario } from '../run/scenario.ts';
import { nodeAt, pickNode } from './parts.ts';

/** A verifier dies in the middle of its work, again and again. */
export const verifierKill: Scenario = {
  name: 'verifier-kill',
  about:
    'A verifier is killed and started again twenty times, every other time from the snapshot on its disk.',
  stage: { nodeEnv: (node, folder) => ({ KEYSWARM_SNAPSHOT_PATH: `${folder}/snapshot-${node}` }) },
  sometimes: [
    'a verifier was asked while it was dead',
    'a key was revoked while a verifier was dead',
    'one that came back refused what was revoked meanwhile',
  ],
  async play(run) {
    const kills = run.isShort ? 3 : Math.round(20 * run.length);
    for (let kill = 1; kill <= kills; kill += 1) {
      const node = nodeAt(run, pickNode(run));
      const since = run.history.size;
      const key = await run.clerk.issue({ keyspace: 'strict', ttlSeconds: 3_600 });
      await run.fault({ name: `${node.name} killed (${kill})`, affects: [node.name] }, async () => {
        await node.member.kill();
        if (key !== undefined && (await run.clerk.revoke(key)))
          run.reached('a key was revoked while a verifier was dead');
        await run.seconds(run.random() * 0.3);
        await node.member.start();
      });
      run.reachedIf(
        'a verifier was asked while it was dead',
        since,
        ({ at, status }) => at === node.name && status === 0,
      );
      if (key === undefined) continue;
      const presenter = run.workload.presenters.find(({ name }) => name === node.name);
      const said = await presenter?.present(key, 1);
      if (said?.code === 'revoked') run.reached('one that came back refused what was revoked meanwhile');
      if (said !== undefined && isAcceptance(said))
        run.violate(`${node.name} came back and accepted a key that was revoked meanwhile`);
    }
  },
};
