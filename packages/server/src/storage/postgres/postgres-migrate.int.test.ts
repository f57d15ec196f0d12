import { type Postgres, startPostgres } from '@keyswarm/harness/postgres';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { migrate } from '../migrate.ts';
import { describeMigrations, MigrationFolder, twoMigrations } from '../migrate-conformance.ts';
import { migrationsDir } from '../read-migrations.ts';
import { sql } from '../store-conformance.ts';
import { createPostgresStore } from './postgres-store.ts';

let postgres: Postgres;
beforeAll(async () => {
  postgres = await startPostgres();
});
afterAll(() => postgres.stop());

describeMigrations('PostgreSQL', async () => createPostgresStore({ url: await postgres.createDatabase() }));

test('twenty servers that start at once on a fresh database all come up, and each file is applied once', async () => {
  using folder = new MigrationFolder().write({
    ...twoMigrations,
    '0003_slow.sql': 'select pg_sleep(0.1); create table slow (id integer);',
  });
  for (let round = 0; round < 8; round += 1) {
    const url = await postgres.createDatabase();
    const starters = Array.from({ length: 20 }, () => createPostgresStore({ url, connectionsMax: 2 }));
    try {
      // Connected before they start, so that they meet at the very first statement.
      await Promise.all(starters.map((store) => store.query(sql('select 1'))));
      const done = await Promise.all(starters.map((store) => migrate(store, folder.path)));
      expect(done.map(({ version }) => version)).toEqual(starters.map(() => 3));
      expect(done.flatMap(({ applied }) => applied).sort()).toEqual([
        '0001_first.sql',
        '0002_second.sql',
        '0003_slow.sql',
      ]);
      const [store] = starters;
      expect(await store?.query(sql('select count(*) as n from first'))).toEqual([{ n: 3 }]);
    } finally {
      await Promise.all(starters.map((store) => store.close()));
    }
  }
});

test('when the first starter fails in the middle, another one takes over', async () => {
  const url = await postgres.createDatabase();
  const [first, second] = [createPostgresStore({ url }), createPostgresStore({ url })];
  const gate = Promise.withResolvers<void>();
  try {
    await migrate(first, migrationsDir);
    await first.transaction((tx) => tx.query(sql('drop schema public cascade; create schema public')));
    using empty = new MigrationFolder();
    await migrate(first, empty.path);
    const inserted = Promise.withResolvers<void>();
    const dying = first.transaction(async (tx) => {
      await tx.query(sql(`insert into schema_migrations values (1, '0001_initial.sql', 'x', now())`));
      inserted.resolve();
      await gate.promise;
      throw new Error('died');
    });
    await inserted.promise;
    const waiting = migrate(second, migrationsDir);
    const blocked = sql(`select count(*) as n from pg_locks where not granted`);
    await expect.poll(() => first.query(blocked)).toEqual([{ n: 1 }]);
    gate.resolve();
    await expect(dying).rejects.toThrow('died');
    expect((await waiting).applied).toContain('0001_initial.sql');
  } finally {
    gate.resolve();
    await Promise.all([first.close(), second.close()]);
  }
});
