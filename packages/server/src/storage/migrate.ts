import { Fault } from '@keyswarm/core';
import { MigrationRefused } from './migration-refused.ts';
import { type Migration, readMigrations } from './read-migrations.ts';
import { SqlError, sqlstates } from './sql-error.ts';
import type { Queryable, Statement, Store } from './store.ts';

/*
 * Brings a database to the schema of this version. Forward only: what a migration did is undone by a later one.
 *
 * Many servers may start at once on one database, and the first start makes even the table of applied
 * migrations. There is no lock to hold (an advisory lock is not portable, and a lock row would have to exist):
 * each migration runs in one transaction whose first act is to insert its own row. The primary key lets one
 * starter through; the others wait for it at their insert, then find the row committed and move on, or absent,
 * because the first one failed, and try themselves. So each file is applied exactly once, and whoever returns
 * from `migrate` knows that all of them are.
 *
 * A file that was applied never changes: its checksum is kept and compared. A database that has migrations this
 * version doesn't know is refused, since a newer server may have given the tables another meaning.
 */

export interface Migrated {
  /** Names of the files that this call applied. */
  readonly applied: readonly string[];
  /** The schema's version now. */
  readonly version: number;
}

interface AppliedRow {
  readonly version: number;
  readonly name: string;
  readonly checksum: string;
}

/** A migration may rewrite a table, and the others wait for it. */
const timeoutMs = 15 * 60_000;
/** Starters that make the table at the same moment fail against each other; one of them gets through each time. */
const createAttemptsMax = 50;

/** The table, its row type, or a row of the catalog was there first; XX000 is "tuple concurrently updated". */
const createRaces: readonly string[] = [
  sqlstates.duplicateTable,
  sqlstates.duplicateObject,
  sqlstates.uniqueViolation,
  'XX000',
];

const createTable: Statement = {
  name: '',
  text: `create table if not exists schema_migrations (
    version integer not null,
    name text not null,
    checksum text not null,
    applied_at timestamptz not null,
    constraint schema_migrations_pkey primary key (version)
  )`,
};
const readApplied: Statement = {
  name: '',
  text: 'select version, name, checksum from schema_migrations order by version',
};
const insertRow: Statement = {
  name: '',
  text: `insert into schema_migrations (version, name, checksum, applied_at)
    values ($1, $2, $3, now()) on conflict (version) do nothing returning version`,
  timeoutMs,
};
const unhurried: Statement = {
  name: '',
  text: `set local statement_timeout = ${timeoutMs}; set local lock_timeout = 0`,
};

export async function migrate(store: Store, dir: string): Promise<Migrated> {
  const migrations = readMigrations(dir);
  await makeTable(store);
  checkApplied(await store.query<AppliedRow>(readApplied), migrations);
  const applied: string[] = [];
  for (const migration of migrations) {
    if (await store.transaction((tx) => apply(tx, migration))) applied.push(migration.name);
  }
  // A starter of another version may have been at work beside this one.
  checkApplied(await store.query<AppliedRow>(readApplied), migrations);
  return { applied, version: migrations.length };
}

/** False when somebody else has applied it. */
async function apply(tx: Queryable, migration: Migration): Promise<boolean> {
  await tx.query(unhurried);
  const { version, name, checksum, text } = migration;
  const inserted = await tx.query(insertRow, [version, name, checksum]);
  if (inserted.length === 0) return false;
  await tx.query({ name: '', text, timeoutMs });
  return true;
}

/**
 * Looks before it makes, because a server may be given a role that can't create anything once the schema is
 * there. `if not exists` does not help against a starter that makes the table in the same moment: one of the two
 * fails on the catalog's own unique indexes, and finds the table when it looks again.
 */
async function makeTable(store: Store): Promise<void> {
  for (let attempt = 1; ; attempt += 1) {
    if (await tableExists(store)) return;
    try {
      await store.transaction((tx) => tx.query(createTable));
      return;
    } catch (error) {
      if (!isCreateRace(error) || attempt === createAttemptsMax) throw error;
    }
  }
}

async function tableExists(store: Store): Promise<boolean> {
  try {
    await store.query(readApplied);
    return true;
  } catch (error) {
    if (error instanceof SqlError && error.sqlstate === sqlstates.undefinedTable) return false;
    throw error;
  }
}

function isCreateRace(error: unknown): boolean {
  if (error instanceof Fault) return error.code === 'overloaded';
  return error instanceof SqlError && createRaces.includes(error.sqlstate);
}

function checkApplied(rows: readonly AppliedRow[], migrations: readonly Migration[]): void {
  for (const [index, row] of rows.entries()) {
    const known = migrations[row.version - 1];
    if (known === undefined) {
      throw new MigrationRefused(
        `The database has migration ${row.name}, and this version knows ${migrations.length}: it belongs to a newer one.`,
      );
    }
    if (row.version !== index + 1) {
      throw new MigrationRefused(`The database has migration ${row.name} and not the ones before it.`);
    }
    if (row.checksum !== known.checksum || row.name !== known.name) {
      throw new MigrationRefused(
        `Migration ${row.name} was applied with another text than ${known.name} has now. Applied migrations never change.`,
      );
    }
  }
}
