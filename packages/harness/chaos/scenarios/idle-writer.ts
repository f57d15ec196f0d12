import { idleInTransaction } from '../../faults/index.ts';
import type { Run, Scenario } from '../run/scenario.ts';
import { acceptedKey, untilRefused } from './parts.ts';

/**
 * Somebody has written something, in this database and in another one, and went to lunch with the transaction open. A feed that waits
 * for the oldest transaction stands still then; this one must not.
 */
export const idleWriter: Scenario = {
  name: 'idle-writer',
  about:
    'Transactions that have written stay open for half a minute, in this database and in another one of the same server.',
  sometimes: ['a revocation reached every verifier while both transactions were open'],
  async play(run) {
    const { url } = run.stage.database;
    const other = new URL(url);
    other.pathname = '/postgres';
    const lunch = 'create table chaos_lunch (at timestamptz)';
    const idle = [await idleInTransaction(url, lunch), await idleInTransaction(other.href, lunch)];
    try {
      await run.fault({ name: 'two transactions stay open', affects: [] }, async () => {
        const untilMs = performance.now() + (run.isShort ? 4 : 30 * run.length) * 1000;
        while (performance.now() < untilMs) {
          await expectSpread(run);
          if (!idle.every((one) => one.isOpen())) run.violate('somebody ended the open transactions');
          await run.seconds(1);
        }
      });
    } finally {
      for (const one of idle) await one.end();
    }
  },
};

/** Under the long lease: a feed that stands still would leave the key accepted for half a minute. */
async function expectSpread(run: Run): Promise<void> {
  const key = await acceptedKey(run, 'usual');
  if (!(await run.clerk.revoke(key))) return;
  const said = await Promise.all(run.stage.nodes.map(({ name }) => untilRefused(run, key, name, 5_000)));
  if (said.every((code) => code === 'revoked'))
    run.reached('a revocation reached every verifier while both transactions were open');
  else run.violate(`the feed stood still behind an open transaction: ${said.join(', ')}`);
}
