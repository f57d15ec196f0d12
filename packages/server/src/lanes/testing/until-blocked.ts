import type { Store } from '../../storage/store.ts';

/** Far more answers than it takes for a statement that was sent to meet its lock. */
const looksMax = 50_000;

const countBlocked = {
  name: '',
  text: `select count(*) as count from pg_stat_activity
    where datname = current_database() and wait_event_type = 'Lock'`,
};

/**
 * Resolves once so many sessions of the database wait for a lock. PostgreSQL tells nobody when one begins to, so it is
 * asked again upon each answer: the pace is that of the answers, and no clock has a part in it.
 */
export async function untilBlocked(store: Store, sessions = 1): Promise<void> {
  for (let look = 0; look < looksMax; look += 1) {
    const [row] = await store.query<{ count: number }>(countBlocked);
    if ((row?.count ?? 0) >= sessions) return;
  }
  throw new Error('nobody waits for a lock');
}
