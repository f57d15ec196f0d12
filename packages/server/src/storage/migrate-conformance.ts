import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { describeSchema } from './describe-schema.ts';
import { migrate } from './migrate.ts';
import { migrationsDir } from './read-migrations.ts';
import type { Store } from './store.ts';
import { failureOf, sql } from './store-conformance.ts';

/** How a database comes to its schema, on every engine. */

/** A folder of migrations for one test. */
export class MigrationFolder {
  readonly path = mkdtempSync(join(tmpdir(), 'keyswarm-migrations-'));

  write(files: Readonly<Record<string, string>>): this {
    mkdirSync(this.path, { recursive: true });
    for (const [name, text] of Object.entries(files)) writeFileSync(join(this.path, name), text);
    return this;
  }

  remove(...names: readonly string[]): void {
    for (const name of names) rmSync(join(this.path, name));
  }

  [Symbol.dispose](): void {
    rmSync(this.path, { recursive: true, force: true });
  }
}

/** Several statements, a comment with a semicolon, a body with dollar quotes: what a splitter would trip over. */
export const twoMigrations = {
  '0001_first.sql': `-- one; two
    create table first (id integer constraint first_pkey primary key, note text default ';');
    insert into first (id) values (1), (2);
    do $$ begin insert into first (id) values (3); end $$;`,
  '0002_second.sql': 'create table second (id integer);',
};

export function describeMigrations(name: string, open: () => Promise<Store>): void {
  describe(`${name} is migrated`, () => {
    let store: Store;
    beforeAll(async () => {
      store = await open();
    }, 60_000);
    afterAll(() => store.close());
    beforeEach(async () => {
      await store.transaction((tx) => tx.query(sql('drop schema public cascade; create schema public')));
    });
    const count = async (table: string) =>
      (await store.query(sql(`select count(*) as n from ${table}`)))[0]?.n;

    test('from nothing, every statement of every file in order, and once', async () => {
      using folder = new MigrationFolder().write({ ...twoMigrations, 'README.md': 'no migration' });
      expect(await migrate(store, folder.path)).toEqual({
        applied: ['0001_first.sql', '0002_second.sql'],
        version: 2,
      });
      expect(await migrate(store, folder.path)).toEqual({ applied: [], version: 2 });
      expect(await count('first')).toBe(3);
    });

    test('by what is new, when a later version starts', async () => {
      using folder = new MigrationFolder().write({ '0001_first.sql': twoMigrations['0001_first.sql'] });
      await migrate(store, folder.path);
      folder.write(twoMigrations);
      expect(await migrate(store, folder.path)).toEqual({ applied: ['0002_second.sql'], version: 2 });
    });

    test('all of a file or nothing of it', async () => {
      using folder = new MigrationFolder().write({
        '0001_first.sql': twoMigrations['0001_first.sql'],
        '0002_broken.sql': 'create table half (id integer); create table half (id integer);',
      });
      expect(await failureOf(migrate(store, folder.path))).toMatchObject({ sqlstate: '42P07' });
      expect(await failureOf(store.query(sql('select 1 from half')))).toMatchObject({ sqlstate: '42P01' });
      folder.remove('0002_broken.sql');
      folder.write({ '0002_mended.sql': 'create table half (id integer);' });
      expect(await migrate(store, folder.path)).toEqual({ applied: ['0002_mended.sql'], version: 2 });
    });

    test('never by a file that was changed after it was applied', async () => {
      using folder = new MigrationFolder().write(twoMigrations);
      await migrate(store, folder.path);
      folder.write({ '0001_first.sql': `${twoMigrations['0001_first.sql']} select 1;` });
      await expect(migrate(store, folder.path)).rejects.toThrow(
        /0001_first\.sql was applied with another text/,
      );
    });

    test('the same with other line ends is the same file', async () => {
      using folder = new MigrationFolder().write(twoMigrations);
      await migrate(store, folder.path);
      folder.write({ '0001_first.sql': twoMigrations['0001_first.sql'].replaceAll('\n', '\r\n') });
      expect(await migrate(store, folder.path)).toEqual({ applied: [], version: 2 });
    });

    test('never by a version older than itself', async () => {
      using folder = new MigrationFolder().write(twoMigrations);
      await migrate(store, folder.path);
      folder.remove('0002_second.sql');
      folder.write({ '0001_first.sql': twoMigrations['0001_first.sql'] });
      const failure = await failureOf(migrate(store, folder.path));
      expect(failure).toMatchObject({ name: 'MigrationRefused' });
      expect(String(failure)).toMatch(/0002_second\.sql.*belongs to a newer one/);
    });

    test.each([
      ['a hole in the numbers', { '0001_a.sql': 'select 1', '0003_c.sql': 'select 1' }],
      ['a number twice', { '0001_a.sql': 'select 1', '0001_b.sql': 'select 1' }],
      ['a name of another shape', { 'first.sql': 'select 1' }],
    ])('never from a folder with %s', async (_, files) => {
      using folder = new MigrationFolder().write(files);
      await expect(migrate(store, folder.path)).rejects.toThrow(/numbered/);
      expect(await failureOf(store.query(sql('select 1 from schema_migrations')))).toMatchObject({
        sqlstate: '42P01',
      });
    });

    test('to the schema that the manifest shows', async () => {
      await migrate(store, migrationsDir);
      const manifest: unknown = JSON.parse(
        readFileSync(new URL('./schema-manifest.json', import.meta.url), 'utf8'),
      );
      expect(await describeSchema(store)).toEqual(manifest);
    });

    test('to a schema without what the portable core rules out, every key led by its shard', async () => {
      await migrate(store, migrationsDir);
      const { tables, ...others } = await describeSchema(store);
      expect(others).toEqual({ sequences: [], triggers: [], functions: [], types: [], views: [] });
      for (const [table, { constraints }] of Object.entries(tables)) {
        const key = Object.values(constraints).find((definition) => definition.startsWith('PRIMARY KEY'));
        if (table !== 'schema_migrations')
          expect([table, key]).toEqual([table, expect.stringMatching(/\(shard[,)]/)]);
      }
    });

    test('and a change of the live schema shows against the manifest', async () => {
      await migrate(store, migrationsDir);
      const before = await describeSchema(store);
      await store.transaction((tx) => tx.query(sql('alter table keys alter column name drop not null')));
      expect(await describeSchema(store)).not.toEqual(before);
    });

    test('and a new partition of the feed does not', async () => {
      await migrate(store, migrationsDir);
      const before = await describeSchema(store);
      await store.transaction((tx) =>
        tx.query(
          sql(
            `create table feed_20260301 partition of feed for values from ('2026-03-01') to ('2026-03-02')`,
          ),
        ),
      );
      expect(await describeSchema(store)).toEqual(before);
    });
  });
}
