import { writeFileSync } from 'node:fs';
import { noWallClocks, wallClock } from '../../processes/wall-clock.ts';
import type { Run, Scenario } from '../run/scenario.ts';
import { acceptedKey, serverAt, untilRefused } from './parts.ts';

/* The wall clock of one of two servers is what a file says; the other one's and the database's are right. */

const offsetFile = (folder: string): string => `${folder}/wall-offset-of-server`;

export const serverClocks: Scenario = {
  name: 'server-clocks',
  about:
    'The wall clock of a server jumps by an hour and by two days, both ways, while keys are issued, rotated and revoked by it.',
  missing: noWallClocks,
  stage: {
    nodes: 2,
    serverEnv: (server, folder) => {
      if (server !== 0) return {};
      writeFileSync(offsetFile(folder), '+0s');
      return wallClock({ offsetFile: offsetFile(folder) });
    },
  },
  sometimes: [
    'a key was issued by a server whose clock was wrong',
    'a key was revoked by a server whose clock was wrong, and refused everywhere',
  ],
  async play(run) {
    const server = serverAt(run, 0);
    const steps = run.isShort
      ? ['+3600s', '-3600s']
      : ['+3600s', '-3600s', '+172800s', '-172800s', '+0s x1.05'];
    for (const step of steps) {
      const since = run.history.size;
      const key = await acceptedKey(run, 'usual');
      await run.fault({ name: `wall clock of ${server.name} ${step}`, affects: [server.name] }, async () => {
        writeFileSync(offsetFile(run.stage.folder), step);
        // It is looked at once a second.
        await run.seconds(run.isShort ? 2.5 : 5);
        if (await run.workload.revokeWatched(key)) await expectRefused(run, key);
        writeFileSync(offsetFile(run.stage.folder), '+0s');
        await run.seconds(1.2);
      });
      const isItsOwn = (at: string): boolean => at === server.name;
      run.reachedIf(
        'a key was issued by a server whose clock was wrong',
        since,
        ({ kind, at, outcome }) => kind === 'issue' && outcome === 'ok' && isItsOwn(at),
      );
    }
  },
};

async function expectRefused(run: Run, key: Parameters<typeof untilRefused>[1]): Promise<void> {
  const said = await Promise.all(run.stage.nodes.map(({ name }) => untilRefused(run, key, name, 3_000)));
  if (said.every((code) => code === 'revoked'))
    run.reached('a key was revoked by a server whose clock was wrong, and refused everywhere');
}
