import { terminateBackends } from '../../faults/index.ts';
import type { Scenario } from '../run/scenario.ts';

const perSecond = 5;

/** Somebody ends the database's sessions of the servers, five a second. */
export const backendsTerminated: Scenario = {
  name: 'backends-terminated',
  about: 'Five sessions of the servers are ended each second by pg_terminate_backend, whatever they are at.',
  rates: { writes: 60, verifies: 25 },
  sometimes: ['sessions were ended', 'a write was asked for again and answered'],
  async play(run) {
    const since = run.history.size;
    await run.fault({ name: `${perSecond} sessions ended a second`, affects: [] }, async () => {
      const { url } = run.stage.database;
      const terminator = await terminateBackends({ url, perSecond, random: run.random });
      await run.seconds(run.isShort ? 5 : 15 * run.length).finally(() => terminator.stop());
      run.note(`${terminator.terminated} sessions ended`);
      if (terminator.terminated > 0) run.reached('sessions were ended');
    });
    const asked = new Map<string, number>();
    for (const { idempotencyKey = '' } of run.history.operations().slice(since))
      asked.set(idempotencyKey, (asked.get(idempotencyKey) ?? 0) + 1);
    run.reachedIf(
      'a write was asked for again and answered',
      since,
      ({ idempotencyKey, outcome }) =>
        idempotencyKey !== undefined && outcome === 'ok' && (asked.get(idempotencyKey) ?? 0) > 1,
    );
  },
};
