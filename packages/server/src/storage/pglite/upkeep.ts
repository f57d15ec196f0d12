import type { Statement, Store } from '../store.ts';

/*
 * A served PostgreSQL vacuums by itself; the embedded one has no background process to do so. Left alone, rows
 * that were replaced would stay, the planner would guess, and after two thousand million transactions (three
 * weeks at a thousand a second) the engine would refuse to write, because transaction numbers come round.
 *
 * One table a statement: the session is free for writes between two of them, and a table that hasn't changed
 * costs less than a millisecond, since its visibility map says so.
 */

const readTables: Statement = {
  name: '',
  // Ours and the catalog's: the oldest table of all says how far transaction numbers may go. Never a temporary one.
  text: `select quote_ident(n.nspname) || '.' || quote_ident(c.relname) as name
           from pg_class c join pg_namespace n on n.oid = c.relnamespace
          where c.relkind in ('r', 'm') and c.relpersistence <> 't'
          order by n.nspname = 'public' desc, c.relname`,
};

/** A large table takes longer than a statement may otherwise. */
const timeoutMs = 10 * 60_000;

export async function upkeep(store: Pick<Store, 'query'>): Promise<void> {
  for (const { name } of await store.query<{ name: string }>(readTables)) {
    await store.query({ name: '', text: `vacuum (analyze) ${name}`, timeoutMs });
  }
}
