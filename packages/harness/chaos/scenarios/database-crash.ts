import { monotonicMs } from '../history/clock.ts';
import type { Scenario } from '../run/scenario.ts';
import { everybody, isWrite, steadyFailures } from './parts.ts';

/** The database dies in the middle of writes (`pg_ctl stop -m immediate`) and comes back with what it had on its disk. */
export const databaseCrash: Scenario = {
  name: 'database-crash',
  about: 'The database is stopped at once in the middle of a burst of writes and comes back, three times.',
  rates: { writes: 60, verifies: 25 },
  sometimes: [
    'a write was under way when it died',
    'a write was answered again by its Idempotency-Key',
    'strict keys were answered 503 stale',
    'keys of the usual lease were accepted while there was no database',
  ],
  async play(run) {
    for (let turn = 0; turn < (run.isShort ? 1 : Math.round(3 * run.length)); turn += 1) {
      const since = run.history.size;
      let diedMs = Number.NaN;
      let goneMs = Number.NaN;
      let goneAt = 0;
      await run.fault({ name: 'the database crashes', affects: everybody(run) }, async () => {
        await run.stage.database.primary.stop('immediate');
        diedMs = monotonicMs();
        goneAt = run.history.size;
        goneMs = run.history.operations().at(-1)?.invokedMs ?? Number.NaN;
        await run.seconds(3 + run.random() * 2);
        await run.stage.database.restartPrimary();
      });
      const operations = run.history.operations().slice(since);
      if (operations.some((one) => isWrite(one) && one.invokedMs < diedMs && one.settledMs > diedMs))
        run.reached('a write was under way when it died');
      const answered = new Set(
        operations.filter(({ outcome }) => outcome === 'unknown').map(({ idempotencyKey }) => idempotencyKey),
      );
      run.reachedIf(
        'a write was answered again by its Idempotency-Key',
        since,
        ({ outcome, idempotencyKey }) =>
          outcome === 'ok' && idempotencyKey !== undefined && answered.has(idempotencyKey),
      );
      run.reachedIf(
        'strict keys were answered 503 stale',
        goneAt,
        ({ keyspace, code }) => keyspace === 'strict' && code === 'stale',
      );
      run.reachedIf(
        'keys of the usual lease were accepted while there was no database',
        goneAt,
        ({ keyspace, code, invokedMs }) =>
          keyspace === 'usual' && code === 'valid' && invokedMs > goneMs + 2_500,
      );
      const failed = steadyFailures(run, since);
      if (failed.length > 0)
        run.violate(
          `${failed.length} verifications under the usual lease failed (${failed[0]?.code}), and the database was away for less`,
        );
    }
  },
};
