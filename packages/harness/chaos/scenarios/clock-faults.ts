import { writeFileSync } from 'node:fs';
import { noWallClocks, wallClock } from '../../processes/wall-clock.ts';
import type { Run, Scenario } from '../run/scenario.ts';
import { acceptedKey, nodeAt, untilRefused } from './parts.ts';

/* One verifier's wall clock is what a file says; another one's clocks, both of them, run slow by half a hundredth. */

const offsetFile = (folder: string): string => `${folder}/wall-offset`;
/** Within ρ, which is a hundredth. */
const slowRate = '+0 x0.995';

export const clockFaults: Scenario = {
  name: 'clock-faults',
  about:
    'The wall clock of a verifier jumps by an hour and by two seconds, both ways, and drifts; another one runs 0.5 % slow.',
  missing: noWallClocks,
  stage: {
    nodeEnv: (node, folder) => {
      if (node === 0) {
        writeFileSync(offsetFile(folder), '+0s');
        return wallClock({ offsetFile: offsetFile(folder) });
      }
      if (node !== 1) return {};
      // The monotonic clock as well: it is what a lease is counted on.
      const { LD_PRELOAD = '' } = wallClock({ offset: slowRate });
      return { LD_PRELOAD, FAKETIME: slowRate };
    },
  },
  sometimes: [
    'the verifier dropped its lease as its clocks disagreed',
    'a key was revoked while the clock was wrong',
  ],
  async play(run) {
    const node = nodeAt(run, 0);
    const steps = run.isShort ? ['-3600s'] : ['+3600s', '-3600s', '+2s', '-2s', '+0s x1.05'];
    for (const step of steps) {
      const since = run.history.size;
      const key = await acceptedKey(run);
      await run.fault({ name: `wall clock of ${node.name} ${step}`, affects: [node.name] }, async () => {
        // Set back while it is cut off: an age that is counted by the wall clock would never come to its end.
        if (step.startsWith('-')) node.cut({ hold: 'both' });
        writeFileSync(offsetFile(run.stage.folder), step);
        // It is looked at once a second.
        await run.seconds(1.2);
        if (await run.workload.revokeWatched(key)) run.reached('a key was revoked while the clock was wrong');
        await run.seconds(2.5);
        node.heal();
        writeFileSync(offsetFile(run.stage.folder), '+0s');
        await run.seconds(1.2);
      });
      run.reachedIf(
        'the verifier dropped its lease as its clocks disagreed',
        since,
        ({ at, code }) => at === node.name && code === 'stale',
      );
      await expectRefused(run, key.number, node.name, await untilRefused(run, key, node.name, 3_000));
    }
  },
};

async function expectRefused(run: Run, key: number, name: string, code: string): Promise<void> {
  if (code === 'valid') run.violate(`${name} went on accepting key ${key} after its clock was set`);
}
