import { inspect } from 'node:util';
import { type Postgres, startPostgres } from '@keyswarm/harness/postgres';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import type { Queryable, Store } from '../store.ts';
import { failureOf, sql } from '../store-conformance.ts';
import { createPostgresStore } from './postgres-store.ts';

/*
 * What only a served engine can do to a store: sessions that meet, sessions that are ended, a server that dies.
 * The server waits for a standby that doesn't exist, but only where a transaction asks for it: so a COMMIT can be
 * held at the moment in which its outcome is open.
 */

let postgres: Postgres;
let url: string;
let store: Store;
/** Looks at the sessions of the others, from another database. */
let observer: Store;

beforeAll(async () => {
  postgres = await startPostgres({
    settings: { synchronous_commit: 'local', synchronous_standby_names: 'nobody', deadlock_timeout: '50ms' },
  });
  observer = createPostgresStore({ url: postgres.url, connectionsMax: 2 });
  url = await postgres.createDatabase();
  store = createPostgresStore({ url });
  await store.transaction((tx) => tx.query(sql('create table counters (id integer primary key, n integer)')));
});
afterAll(async () => {
  await Promise.all([store.close(), observer.close()]);
  await postgres.stop();
});
beforeEach(async () => {
  await store.transaction((tx) =>
    tx.query(sql('delete from counters; insert into counters values (1, 0), (2, 0)')),
  );
});

const add = { name: 'add', text: 'update counters set n = n + 1 where id = $1' };
const pidOf = async (session: Queryable): Promise<number> =>
  (await session.query<{ pid: number }>(sql('select pg_backend_pid() as pid')))[0]?.pid ?? 0;
const readAll = () => store.query(sql('select id, n from counters order by id'));
const terminate = (pid: number) => observer.query(sql('select pg_terminate_backend($1, 5000)'), [pid]);

/** Resolves when the session is seen waiting for a standby. */
const untilCommitting = (pid: number) =>
  expect
    .poll(() => observer.query(sql('select wait_event from pg_stat_activity where pid = $1'), [pid]), {
      timeout: 20_000,
      interval: 10,
    })
    .toEqual([{ wait_event: 'SyncRep' }]);

/** A gate that opens when `count` have come. */
function meeting(count: number): () => Promise<void> {
  let missing = count;
  const all = Promise.withResolvers<void>();
  return () => {
    missing -= 1;
    if (missing <= 0) all.resolve();
    return all.promise;
  };
}

describe('transactions that meet', () => {
  test('a real serialization failure is run again, and both take effect', async () => {
    const bothHaveRead = meeting(2);
    let runs = 0;
    const addOne = () =>
      store.transaction(
        async (tx) => {
          runs += 1;
          await tx.query(sql('select n from counters where id = 1'));
          await bothHaveRead();
          await tx.query(add, [1]);
        },
        { isolation: 'repeatable read' },
      );
    await Promise.all([addOne(), addOne()]);
    expect(runs).toBeGreaterThan(2);
    expect(await readAll()).toEqual([
      { id: 1, n: 2 },
      { id: 2, n: 0 },
    ]);
  });

  test('a real deadlock is run again, and both take effect', async () => {
    const bothHoldOne = meeting(2);
    let runs = 0;
    const addBoth = (first: number, second: number) =>
      store.transaction(async (tx) => {
        runs += 1;
        await tx.query(add, [first]);
        await bothHoldOne();
        await tx.query(add, [second]);
      });
    await Promise.all([addBoth(1, 2), addBoth(2, 1)]);
    expect(runs).toBeGreaterThan(2);
    expect(await readAll()).toEqual([
      { id: 1, n: 2 },
      { id: 2, n: 2 },
    ]);
  });
});

describe('a session that is ended', () => {
  test('in the middle of a transaction: unavailable, nothing happened, the next one works', async () => {
    const asked = store.transaction(async (tx) => {
      await tx.query(add, [1]);
      await terminate(await pidOf(tx));
      await tx.query(add, [1]);
    });
    expect(await failureOf(asked)).toMatchObject({ code: 'store_unavailable', retryable: true });
    expect(await readAll()).toEqual([
      { id: 1, n: 0 },
      { id: 2, n: 0 },
    ]);
  });

  test('while its transaction waits for its work: the same', async () => {
    const asked = store.transaction(async (tx) => {
      await terminate(await pidOf(tx));
    });
    expect(await failureOf(asked)).toMatchObject({
      code: expect.stringMatching(/store_unavailable|outcome_unknown/),
    });
  });

  test('during COMMIT: the outcome is unknown, and it did happen', async () => {
    let pid = 0;
    const asked = store.transaction(async (tx) => {
      pid = await pidOf(tx);
      await tx.query(sql('set local synchronous_commit = on'));
      await tx.query(add, [1]);
    });
    const failure = failureOf(asked);
    await expect.poll(() => pid).toBeGreaterThan(0);
    await untilCommitting(pid);
    await terminate(pid);
    expect(await failure).toMatchObject({ code: 'outcome_unknown', retryable: true });
    expect(await readAll()).toContainEqual({ id: 1, n: 1 });
  });

  test('a COMMIT whose wait for the standby is cancelled is not taken for durable', async () => {
    let pid = 0;
    const asked = store.transaction(async (tx) => {
      pid = await pidOf(tx);
      await tx.query(sql('set local synchronous_commit = on'));
      await tx.query(add, [1]);
    });
    const failure = failureOf(asked);
    await expect.poll(() => pid).toBeGreaterThan(0);
    await untilCommitting(pid);
    await observer.query(sql('select pg_cancel_backend($1)'), [pid]);
    expect(await failure).toMatchObject({ code: 'outcome_unknown' });
  });

  test('while idle: nobody notices', async () => {
    await terminate(await pidOf(store));
    await expect
      .poll(() => store.query(sql('select 1 as one')).catch(() => []), { interval: 5 })
      .toEqual([{ one: 1 }]);
  });

  test('during a write outside a transaction: the outcome is unknown; during a read: unavailable', async () => {
    const hold = Promise.withResolvers<void>();
    const held = meeting(2);
    const holding = store.transaction(async (tx) => {
      await tx.query(add, [1]);
      await held();
      await hold.promise;
    });
    void held();
    const waiting = { name: 'waiting-write', text: 'update counters set n = 7 where id = 1' };
    const failed = failureOf(store.query(waiting));
    const sleeping = failureOf(store.query({ name: 'sleeping', text: 'select pg_sleep(20)' }));
    const find = sql(`select pid from pg_stat_activity where state = 'active' and query like $1`);
    for (const text of [waiting.text, 'select pg_sleep(20)']) {
      await expect.poll(async () => (await observer.query(find, [text])).length).toBe(1);
      const [row] = await observer.query<{ pid: number }>(find, [text]);
      await terminate(row?.pid ?? 0);
    }
    hold.resolve();
    await holding;
    expect(await failed).toMatchObject({ code: 'outcome_unknown' });
    expect(await sleeping).toMatchObject({ code: 'store_unavailable' });
  });
});

describe('bounds', () => {
  test('a statement that takes too long is ended by the engine, and the store goes on', async () => {
    const hurried = createPostgresStore({ url, statementTimeoutMs: 50 });
    try {
      expect(await failureOf(hurried.query(sql('select pg_sleep(20)')))).toMatchObject({
        code: 'overloaded',
      });
      expect(await hurried.query(sql('select 1 as one'))).toEqual([{ one: 1 }]);
    } finally {
      await hurried.close();
    }
  });

  test('it never opens more connections than its bound, and waits no longer than its bound', async () => {
    const narrow = createPostgresStore({
      url,
      applicationName: 'narrow',
      connectionsMax: 3,
      connectTimeoutMs: 300,
    });
    try {
      const gate = Promise.withResolvers<void>();
      const asked = Array.from({ length: 12 }, () => narrow.transaction(() => gate.promise));
      const failures = asked.map((one) =>
        one.then(
          () => undefined,
          (error: unknown) => error,
        ),
      );
      const first = await Promise.race(failures);
      expect(first).toMatchObject({ code: 'overloaded' });
      const sessions = sql(`select count(*) as n from pg_stat_activity where application_name = 'narrow'`);
      expect(await observer.query(sessions)).toEqual([{ n: 3 }]);
      gate.resolve();
      expect((await Promise.all(failures)).filter((it) => it === undefined)).toHaveLength(3);
    } finally {
      await narrow.close();
    }
  });

  test('a statement is prepared once a connection', async () => {
    const one = createPostgresStore({ url, connectionsMax: 1 });
    try {
      for (const id of [1, 2, 1]) await one.transaction((tx) => tx.query(add, [id]));
      const prepared = sql(`select name from pg_prepared_statements order by name`);
      expect(await one.query(prepared)).toEqual([{ name: 'add' }]);
    } finally {
      await one.close();
    }
  });
});

describe('a server that is gone', () => {
  test('is unavailable while it is gone, and used again when it is back', async () => {
    const read = () => store.query({ name: 'read-one', text: 'select 1 as one' });
    await read();
    await postgres.halt('immediate');
    try {
      const failures = await Promise.all([
        failureOf(read()),
        failureOf(store.transaction(async () => undefined)),
      ]);
      for (const failure of failures) expect(failure).toMatchObject({ code: 'store_unavailable' });
    } finally {
      await postgres.resume();
    }
    expect(await read()).toEqual([{ one: 1 }]);
  });

  test('or lets nobody in: unavailable, without the password in what is said', async () => {
    const guess = new URL(url);
    guess.password = 'hunter2-hunter2';
    const shut = createPostgresStore({ url: guess.href });
    try {
      const failure = await failureOf(shut.query(sql('select 1')));
      expect(failure).toMatchObject({ code: 'store_unavailable' });
      expect(inspect(failure, { depth: 10 })).not.toContain('hunter2');
    } finally {
      await shut.close();
    }
  });

  test('or does not answer: unavailable within the bound', async () => {
    const { createServer } = await import('node:net');
    const mute = createServer(() => undefined);
    await new Promise<void>((resolve) => mute.listen(0, '127.0.0.1', resolve));
    const address = mute.address();
    const port = typeof address === 'object' && address !== null ? address.port : 0;
    const deaf = createPostgresStore({ url: `postgres://a:b@127.0.0.1:${port}/c`, connectTimeoutMs: 200 });
    try {
      expect(await failureOf(deaf.query(sql('select 1')))).toMatchObject({ code: 'store_unavailable' });
    } finally {
      await deaf.close();
      mute.close();
    }
  });
});
