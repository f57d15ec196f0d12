import { setTimeout as sleep } from 'node:timers/promises';
import { Client } from 'pg';

/*
 * What other people's sessions do to a database: they are ended by an administrator, and they sit in a transaction that
 * nobody finishes. Both through the database's own doors, as superuser.
 */

export interface BackendTerminator {
  /** Sessions that were ended so far. */
  readonly terminated: number;
  stop(): Promise<void>;
}

export interface TerminateOptions {
  /** Of the database whose sessions are ended. */
  readonly url: string;
  readonly perSecond: number;
  /** In [0, 1): which one it is. */
  readonly random: () => number;
}

/** `pg_terminate_backend`, so many times a second, of a session by chance; of clients only, and never its own. */
export async function terminateBackends(options: TerminateOptions): Promise<BackendTerminator> {
  const { url, perSecond, random } = options;
  const stopped = new AbortController();
  const seen = { terminated: 0 };
  let client = await connected(url);
  const run = async (): Promise<void> => {
    while (!stopped.signal.aborted) {
      await sleep(1000 / perSecond, undefined, { signal: stopped.signal }).catch(() => undefined);
      if (stopped.signal.aborted) return;
      try {
        const { rows } = await client.query(terminateOne, [random()]);
        seen.terminated += rows.length;
      } catch {
        // The database is away: there is nobody to end, and another one to ask when it is back.
        client.end().catch(() => undefined);
        client = await connected(url).catch(() => client);
      }
    }
  };
  const running = run();
  return {
    get terminated() {
      return seen.terminated;
    },
    async stop() {
      stopped.abort();
      await running;
      await client.end().catch(() => undefined);
    },
  };
}

const terminateOne = `
with clients as (
  select pid, row_number() over (order by pid) - 1 as place, count(*) over () as total
  from pg_stat_activity
  where datname = current_database() and backend_type = 'client backend' and pid <> pg_backend_pid()
)
select pg_terminate_backend(pid) from clients where place = floor($1::float8 * total)`;

export interface IdleTransaction {
  /** Of its session. */
  readonly pid: number;
  /** Is its transaction still open? */
  isOpen(): boolean;
  end(): Promise<void>;
}

/**
 * A session that has begun to write and then does nothing: it holds a transaction id and a snapshot, so that nothing
 * newer can be cleaned away, here or in another database of the same server. `statement` is what it did before it fell
 * asleep; without one it has only taken its id.
 */
export async function idleInTransaction(url: string, statement?: string): Promise<IdleTransaction> {
  const client = await connected(url);
  let isOpen = true;
  client.on('end', () => {
    isOpen = false;
  });
  await client.query('begin isolation level repeatable read');
  const { rows } = await client.query('select pg_backend_pid() as pid, pg_current_xact_id()');
  if (statement !== undefined) await client.query(statement);
  return {
    pid: Number((rows[0] as { pid?: unknown } | undefined)?.pid),
    isOpen: () => isOpen,
    async end() {
      await client.query('rollback').catch(() => undefined);
      await client.end().catch(() => undefined);
    },
  };
}

async function connected(url: string): Promise<Client> {
  const client = new Client({
    connectionString: url,
    connectionTimeoutMillis: 5_000,
    application_name: 'faults',
  });
  client.on('error', () => undefined);
  await client.connect();
  return client;
}
