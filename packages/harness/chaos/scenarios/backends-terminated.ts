import { Client } from 'pg';
import type { Scenario } from '../run/scenario.ts';

const perSecond = 5;

/** Somebody ends the database's sessions of the servers, five a second. */
export const backendsTerminated: Scenario = {
  name: 'backends-terminated',
  about: 'Five sessions of the servers are ended each second by pg_terminate_backend, whatever they are at.',
  rates: { writes: 60, verifies: 25 },
  sometimes: ['a session was ended while it was at work', 'a write was asked for again and answered'],
  async play(run) {
    const client = new Client({ connectionString: run.stage.database.url });
    client.on('error', () => {});
    await client.connect();
    const since = run.history.size;
    let ended = 0;
    try {
      await run.fault({ name: `${perSecond} sessions ended a second`, affects: [] }, async () => {
        for (let turn = 0; turn < (run.isShort ? 5 : 15 * run.length) * perSecond; turn += 1) {
          const { rows } = await client.query(terminate);
          ended += rows.length;
          if (rows.some(({ state }) => state !== 'idle'))
            run.reached('a session was ended while it was at work');
          await run.seconds(1 / perSecond);
        }
      });
    } finally {
      await client.end();
    }
    run.note(`${ended} sessions ended`);
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

/** Those at work first: an idle one that ends is only opened again. */
const terminate = `
  select state, pg_terminate_backend(pid) from pg_stat_activity
  where datname = current_database() and pid <> pg_backend_pid() and backend_type = 'client backend'
  order by (state = 'idle'), random() limit 1`;
