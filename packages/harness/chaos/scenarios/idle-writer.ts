import { Client } from 'pg';
import type { Scenario } from '../run/scenario.ts';
import { acceptedKey, untilRefused } from './parts.ts';

/**
 * Somebody has written something, in this database and in another one, and went to lunch with the transaction open. A feed that waits
 * for the oldest transaction stands still then; this one must not.
 */
export const idleWriter: Scenario = {
  name: 'idle-writer',
  about:
    'Transactions that have written stay open for half a minute, in this database and in another one of the same server.',
  sometimes: [
    'a revocation reached every verifier while a transaction was open',
    'keys were issued while a transaction was open',
  ],
  async play(run) {
    const here = new Client({ connectionString: run.stage.database.url });
    const other = new URL(run.stage.database.url);
    other.pathname = '/postgres';
    const elsewhere = new Client({ connectionString: other.href });
    const clients = [here, elsewhere];
    for (const client of clients) {
      client.on('error', () => {});
      await client.connect();
    }
    try {
      for (const client of clients) {
        await client.query('create table if not exists chaos_lunch (at timestamptz)');
        await client.query('begin');
        await client.query('insert into chaos_lunch values (now())');
      }
      await run.fault({ name: 'two transactions stay open', affects: [] }, async () => {
        const seconds = run.isShort ? 4 : 30 * run.length;
        const untilMs = performance.now() + seconds * 1000;
        while (performance.now() < untilMs) {
          // Under the long lease: a feed that stands still would leave it accepted for half a minute.
          const key = await acceptedKey(run, 'usual');
          run.reached('keys were issued while a transaction was open');
          await run.clerk.revoke(key);
          const said = await Promise.all(
            run.stage.nodes.map(({ name }) => untilRefused(run, key, name, 5_000)),
          );
          if (said.every((code) => code === 'revoked'))
            run.reached('a revocation reached every verifier while a transaction was open');
          else run.violate(`the feed stood still behind an open transaction: ${said.join(', ')}`);
          await run.seconds(1);
        }
      });
    } finally {
      for (const client of clients) await client.query('rollback').catch(() => undefined);
      await here.query('drop table if exists chaos_lunch').catch(() => undefined);
      for (const client of clients) await client.end();
    }
  },
};
