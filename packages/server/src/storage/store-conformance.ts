import { Fault } from '@keyswarm/core';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { SqlError } from './sql-error.ts';
import type { Statement, Store } from './store.ts';
import { describeValues } from './value-conformance.ts';

/*
 * What a store is: every engine runs this suite, and what passes it may stand behind the port. A guarantee that
 * only one engine can be put to (a second connection, a server that dies) is tested beside that engine.
 */

export interface StoreUnderTest {
  /** A store over an empty database. The suite closes it. */
  open(options?: { readonly waitersMax?: number }): Promise<Store>;
}

/** A statement that isn't kept. */
export const sql = (text: string): Statement => ({ name: '', text });

/** What a promise was rejected with. */
export async function failureOf(promise: Promise<unknown>): Promise<unknown> {
  return promise.then(
    () => expect.fail('it was expected to fail'),
    (error: unknown) => error,
  );
}

export function describeStore(name: string, under: StoreUnderTest): void {
  describe(`${name} is a store`, () => {
    let store: Store;
    beforeAll(async () => {
      store = await under.open();
    }, 60_000);
    afterAll(() => store.close());
    const opened = (): Store => store;

    describeValues(opened);
    describeRefusals(opened);
    describeTransactions(opened);
    describeConflicts(opened);
    describeAborts(opened);
    describeBounds(under);
  });
}

async function makeTable(store: Store, name: string): Promise<void> {
  await store.transaction((tx) =>
    tx.query(
      sql(`create table ${name} (id integer constraint ${name}_pkey primary key, note text not null)`),
    ),
  );
}

const countOf = async (store: Store, table: string): Promise<unknown> =>
  (await store.query(sql(`select count(*) as n from ${table}`)))[0]?.n;

function describeRefusals(store: () => Store): void {
  describe('a refused statement', () => {
    test('names the state, the constraint and the table, and quotes no value', async () => {
      await makeTable(store(), 'refusals');
      const insert = { name: 'insert-refusal', text: 'insert into refusals (id, note) values ($1, $2)' };
      await store().transaction((tx) => tx.query(insert, [4711, 'hunter2']));
      const error = await failureOf(store().transaction((tx) => tx.query(insert, [4711, 'hunter2'])));
      expect(error).toBeInstanceOf(SqlError);
      expect(error).toMatchObject({ sqlstate: '23505', constraint: 'refusals_pkey', table: 'refusals' });
      expect(`${error} ${JSON.stringify(error)}`).not.toMatch(/4711|hunter2/);
      expect(error).toMatchObject({ statement: 'insert-refusal' });
    });

    test('names the column that may not be null', async () => {
      await makeTable(store(), 'missing_values');
      const asked = store().transaction((tx) => tx.query(sql('insert into missing_values (id) values (1)')));
      expect(await failureOf(asked)).toMatchObject({ sqlstate: '23502', column: 'note' });
    });

    test('does not carry a value that the engine could not read', async () => {
      const error = await failureOf(store().query(sql('select $1::uuid'), ['hunter2']));
      expect(error).toBeInstanceOf(SqlError);
      expect(error).toMatchObject({ sqlstate: '22P02' });
      expect(error).not.toHaveProperty('cause');
      expect(String(error)).not.toContain('hunter2');
    });

    test('says what is wrong with its own text', async () => {
      const error = await failureOf(store().query(sql('select nothing_here from nowhere')));
      expect(error).toMatchObject({ sqlstate: '42P01' });
      expect(String(error)).toContain('nowhere');
    });

    test('leaves the connection in order', async () => {
      await failureOf(store().query(sql('select 1 / 0')));
      expect(await store().query(sql('select 1 as one'))).toEqual([{ one: 1 }]);
    });

    test('a NUL in a text is refused by its state', async () => {
      expect(await failureOf(store().query(sql('select $1::text'), ['a\0b']))).toMatchObject({
        sqlstate: '22021',
      });
      expect(await failureOf(store().query(sql('select $1::text[]'), [['a\0b']]))).toBeInstanceOf(SqlError);
    });
  });

  describe('a named statement', () => {
    const named = { name: 'named-once', text: 'select $1::integer + 1 as next' };

    test('may be asked any number of times', async () => {
      for (let round = 0; round < 20; round += 1) {
        expect(await store().query(named, [round])).toEqual([{ next: round + 1 }]);
      }
    });

    test('works again after it was refused once', async () => {
      await failureOf(store().query(named, ['no number']));
      expect(await store().query(named, [1])).toEqual([{ next: 2 }]);
    });

    test('works in and out of transactions', async () => {
      expect(await store().transaction((tx) => tx.query(named, [2]))).toEqual([{ next: 3 }]);
      expect(await store().query(named, [3])).toEqual([{ next: 4 }]);
    });
  });

  test('a text of several statements runs them all and answers the last', async () => {
    const rows = await store().transaction((tx) =>
      tx.query(
        sql(`create table several (id integer); insert into several values (1), (2); select id from several`),
      ),
    );
    expect(rows).toEqual([{ id: 1 }, { id: 2 }]);
  });
}

function describeTransactions(store: () => Store): void {
  describe('a transaction', () => {
    test('sees its own writes, and others see them once it is committed', async () => {
      await makeTable(store(), 'own_writes');
      const seen = await store().transaction(async (tx) => {
        await tx.query(sql(`insert into own_writes values (1, 'a')`));
        return tx.query(sql('select note from own_writes'));
      });
      expect(seen).toEqual([{ note: 'a' }]);
      expect(await countOf(store(), 'own_writes')).toBe(1);
    });

    test('leaves nothing behind when its work throws, and throws the same', async () => {
      await makeTable(store(), 'thrown');
      const reason = new Fault('name_taken', { detail: 'taken' });
      const asked = store().transaction(async (tx) => {
        await tx.query(sql(`insert into thrown values (1, 'a')`));
        throw reason;
      });
      expect(await failureOf(asked)).toBe(reason);
      expect(await countOf(store(), 'thrown')).toBe(0);
    });

    test('does not pretend to have committed when its work passed over a refused statement', async () => {
      await makeTable(store(), 'passed_over');
      const asked = store().transaction(async (tx) => {
        await tx.query(sql(`insert into passed_over values (1, 'a')`));
        await tx.query(sql(`insert into passed_over values (1, 'b')`)).catch(() => undefined);
      });
      expect(await failureOf(asked)).toMatchObject({ sqlstate: '23505' });
      expect(await countOf(store(), 'passed_over')).toBe(0);
    });

    test('its work may answer a refused statement with a fault of its own', async () => {
      await makeTable(store(), 'own_fault');
      const reason = new Fault('name_taken', { detail: 'taken' });
      const asked = store().transaction(async (tx) => {
        await tx.query(sql(`insert into own_fault values (1, 'a'), (1, 'b')`)).catch(() => {
          throw reason;
        });
      });
      expect(await failureOf(asked)).toBe(reason);
    });

    test('runs statements that were asked together in their order', async () => {
      const answers = await store().transaction((tx) =>
        Promise.all([1, 2, 3, 4].map((n) => tx.query(sql(`select ${n} as n`)))),
      );
      expect(answers.flat()).toEqual([{ n: 1 }, { n: 2 }, { n: 3 }, { n: 4 }]);
    });

    test('commits what was asked of it without waiting', async () => {
      await makeTable(store(), 'unawaited');
      await store().transaction(async (tx) => {
        void tx.query(sql(`insert into unawaited values (1, 'a')`));
      });
      expect(await countOf(store(), 'unawaited')).toBe(1);
    });

    test('refuses to be used once it has ended', async () => {
      const leaked = await store().transaction(async (tx) => tx);
      await expect(leaked.query(sql('select 1'))).rejects.toThrow(/has ended/);
    });

    test('twenty at once each take effect once', async () => {
      await makeTable(store(), 'counters');
      await store().transaction((tx) => tx.query(sql(`insert into counters values (0, '')`)));
      const add = sql('update counters set id = id + 1 returning id');
      const seen = await Promise.all(
        Array.from({ length: 20 }, () => store().transaction((tx) => tx.query<{ id: number }>(add))),
      );
      expect(new Set(seen.map(([row]) => row?.id)).size).toBe(20);
      expect(await store().query(sql('select id from counters'))).toEqual([{ id: 20 }]);
    });

    test('that only reads can not write', async () => {
      await makeTable(store(), 'read_only');
      const asked = store().transaction((tx) => tx.query(sql(`insert into read_only values (1, 'a')`)), {
        isolation: 'repeatable read',
        readOnly: true,
      });
      expect(await failureOf(asked)).toMatchObject({ sqlstate: '25006' });
    });

    test('has the isolation that was asked for', async () => {
      const show = sql('show transaction_isolation');
      const levels = await Promise.all(
        (['read committed', 'repeatable read'] as const).map((isolation) =>
          store().transaction((tx) => tx.query(show), { isolation }),
        ),
      );
      expect(levels.flat().map((row) => row.transaction_isolation)).toEqual([
        'read committed',
        'repeatable read',
      ]);
    });
  });
}

/** Raises what the engine raises when it gives a transaction up. */
const giveUp = sql(`do $$ begin raise exception 'x' using errcode = '40001'; end $$`);

function describeConflicts(store: () => Store): void {
  describe('a transaction that the engine gives up', () => {
    test('runs again, and takes effect once', async () => {
      await makeTable(store(), 'again');
      let runs = 0;
      const result = await store().transaction(async (tx) => {
        runs += 1;
        await tx.query(sql(`insert into again values (1, 'a')`));
        if (runs < 3) await tx.query(giveUp);
        return runs;
      });
      expect([result, runs]).toEqual([3, 3]);
      expect(await countOf(store(), 'again')).toBe(1);
    });

    test('runs again whatever its work made of the failure', async () => {
      let runs = 0;
      await store().transaction(async (tx) => {
        runs += 1;
        if (runs === 1) {
          await tx.query(giveUp).catch(() => {
            throw new Error('something went wrong');
          });
        }
      });
      expect(runs).toBe(2);
    });

    test('every time is answered with overloaded after a bounded number of runs', async () => {
      let runs = 0;
      const asked = store().transaction(async (tx) => {
        runs += 1;
        await tx.query(giveUp);
      });
      expect(await failureOf(asked)).toMatchObject({ code: 'overloaded', retryable: true });
      expect(runs).toBeGreaterThan(2);
      expect(runs).toBeLessThan(20);
    });

    test('a refused statement is not run again', async () => {
      let runs = 0;
      await failureOf(
        store().transaction(async (tx) => {
          runs += 1;
          await tx.query(sql('select 1 / 0'));
        }),
      );
      expect(runs).toBe(1);
    });
  });
}

function describeAborts(store: () => Store): void {
  describe('a transaction whose signal aborts', () => {
    test('does not begin when it has aborted before', async () => {
      const reason = new Error('gone');
      let ran = false;
      const asked = store().transaction(
        async () => {
          ran = true;
        },
        { signal: AbortSignal.abort(reason) },
      );
      expect(await failureOf(asked)).toBe(reason);
      expect(ran).toBe(false);
    });

    test('ends at once with the reason and leaves nothing behind, and the store goes on', async () => {
      await makeTable(store(), 'aborted');
      const reason = new Error('gone');
      const controller = new AbortController();
      const asked = store().transaction(
        async (tx) => {
          await tx.query(sql(`insert into aborted values (1, 'a')`));
          const slow = tx.query(sql('select pg_sleep(0.2)'));
          controller.abort(reason);
          await slow;
        },
        { signal: controller.signal },
      );
      expect(await failureOf(asked)).toBe(reason);
      expect(await countOf(store(), 'aborted')).toBe(0);
    });

    test('between statements is rolled back too', async () => {
      await makeTable(store(), 'aborted_between');
      const controller = new AbortController();
      const asked = store().transaction(
        async (tx) => {
          await tx.query(sql(`insert into aborted_between values (1, 'a')`));
          controller.abort(new Error('gone'));
        },
        { signal: controller.signal },
      );
      await expect(asked).rejects.toThrow('gone');
      expect(await countOf(store(), 'aborted_between')).toBe(0);
    });
  });
}

function describeBounds(under: StoreUnderTest): void {
  test('callers beyond its bound are refused at once, and those within it are served', async () => {
    const store = await under.open({ waitersMax: 3 });
    try {
      const gate = Promise.withResolvers<void>();
      const asked = Array.from({ length: 40 }, () => store.transaction(() => gate.promise));
      const outcomes = Promise.allSettled(asked);
      await expect(Promise.race(asked.slice(30))).rejects.toMatchObject({ code: 'overloaded' });
      gate.resolve();
      const refused = (await outcomes).filter((outcome) => outcome.status === 'rejected');
      expect(refused.length).toBeGreaterThan(0);
      for (const { reason } of refused) expect(reason).toMatchObject({ code: 'overloaded', retryable: true });
      expect(refused.length).toBeLessThan(40 - 3);
    } finally {
      await store.close();
    }
  }, 60_000);

  test('closing waits for what is under way, refuses what comes after, and may be asked twice', async () => {
    const store = await under.open();
    const begun = Promise.withResolvers<void>();
    const asked = store.transaction(async (tx) => {
      begun.resolve();
      await tx.query(sql('select pg_sleep(0.05)'));
      return tx.query(sql('select 1 as one'));
    });
    await begun.promise;
    const closed = store.close();
    expect(await failureOf(store.query(sql('select 1')))).toMatchObject({ code: 'shutting_down' });
    expect(await failureOf(store.transaction(async () => undefined))).toMatchObject({
      code: 'shutting_down',
    });
    await Promise.all([closed, store.close()]);
    expect(await asked).toEqual([{ one: 1 }]);
  }, 60_000);
}
