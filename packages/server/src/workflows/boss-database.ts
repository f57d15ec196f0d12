import type { ConstructorOptions } from 'pg-boss';
import { bossStatementMsMax } from '../limits.ts';
import { SqlError } from '../storage/sql-error.ts';
import type { Row, Statement, Store } from '../storage/store.ts';

/*
 * The store as pg-boss knows one: a text, values, rows. Its texts bring their own BEGIN and COMMIT, which a pool
 * of ours must not be sent: one that fails halfway would leave its connection in a transaction that the next
 * caller would find. They are taken off, and the rest runs in a transaction of the store, with its retries.
 */

const inTransaction = /^\s*BEGIN;([\s\S]*)\bCOMMIT;\s*$/;

/** pg-boss knows a lost race by what the engine says, which `SqlError` keeps for itself. */
const said: Readonly<Record<string, string>> = {
  '22012': 'division by zero',
  '23505': 'already exists',
  '42P06': 'already exists',
};

export function bossDatabase(store: Store): NonNullable<ConstructorOptions['db']> {
  return {
    async executeSql(text: string, values: unknown[] = []) {
      try {
        return { rows: [...(await run(store, text, values))] };
      } catch (error) {
        throw error instanceof SqlError ? bossError(error) : error;
      }
    },
  };
}

function run(store: Store, text: string, values: readonly unknown[]): Promise<readonly Row[]> {
  const params = values.map((value) => (value === undefined ? null : value));
  const inner = inTransaction.exec(text)?.[1];
  if (inner === undefined) return store.query(statementOf(text), params);
  return store.transaction((tx) => tx.query(statementOf(inner), params));
}

function statementOf(text: string): Statement {
  return { name: '', countedAs: 'pgboss', text, everyRow: true, timeoutMs: bossStatementMsMax };
}

/** In the shape of the driver's own errors, as far as pg-boss looks at them. */
function bossError(error: SqlError): Error {
  const words = said[error.sqlstate];
  const message = words === undefined ? error.message : `${error.message}: ${words}`;
  return Object.assign(new Error(message, { cause: error }), {
    code: error.sqlstate,
    constraint: error.constraint,
  });
}
