import { SqlError, sqlstates } from '@keyswarm/server/rooms/storage/sql-error';
import type { LockHolder, Locks } from './locks.ts';
import type { Table, Tables } from './tables.ts';

export interface Write {
  readonly table: Table<unknown>;
  readonly name: string;
  /** Undefined: it is gone. */
  readonly row: unknown;
}

/** What a transaction wrote, and when that took effect. */
export interface Commit {
  readonly atMs: number;
  readonly writes: readonly Write[];
}

/** What one transaction sees and has written so far. */
export class SimTransaction implements LockHolder {
  waitsFor: LockHolder | undefined;
  readonly tables: Tables;
  readonly #locks: Locks;
  readonly #isRepeatable: boolean;
  readonly #written = new Map<Table<unknown>, Map<string, unknown>>();
  /** Of a repeatable read: the tables as its first look at one of them found them all. */
  #seen: Map<Table<unknown>, ReadonlyMap<string, unknown>> | undefined;
  #state: 'open' | 'refused' | 'ended' = 'open';

  constructor(tables: Tables, locks: Locks, isolation: 'read committed' | 'repeatable read') {
    this.tables = tables;
    this.#locks = locks;
    this.#isRepeatable = isolation === 'repeatable read';
  }

  get isRefused(): boolean {
    return this.#state === 'refused';
  }

  get hasEnded(): boolean {
    return this.#state === 'ended';
  }

  assertOpen(): void {
    if (this.#state === 'open') return;
    if (this.#state === 'ended') throw new Error('the session has ended');
    throw new SqlError({ sqlstate: sqlstates.transactionAborted, statement: 'simulated' });
  }

  /** A statement was refused: from here on it can only be rolled back. */
  refuse(_error: SqlError): void {
    if (this.#state === 'open') this.#state = 'refused';
  }

  /** Held already, or by nobody: for rows that are found only while a statement runs. */
  lock(table: Table<unknown>, name: string): void {
    void this.#locks.take(this, lockName(table, name));
  }

  get<Row>(table: Table<Row>, name: string): Row | undefined {
    const own = this.#written.get(table);
    if (own?.has(name)) return own.get(name) as Row | undefined;
    return this.#rowsOf(table).get(name);
  }

  put<Row>(table: Table<Row>, name: string, row: Row | undefined): void {
    const own = this.#written.get(table) ?? new Map<string, unknown>();
    this.#written.set(table, own.set(name, row));
  }

  *scan<Row>(table: Table<Row>): Generator<readonly [name: string, row: Row]> {
    const own = this.#written.get(table);
    for (const entry of this.#rowsOf(table)) if (own?.has(entry[0]) !== true) yield entry;
    for (const [name, row] of own ?? []) if (row !== undefined) yield [name, row as Row];
  }

  apply(atMs: number): Commit {
    this.#state = 'ended';
    const writes: Write[] = [];
    for (const [table, rows] of this.#written) {
      for (const [name, row] of rows) {
        if (row === undefined) table.rows.delete(name);
        else table.rows.set(name, row);
        writes.push({ table, name, row });
      }
    }
    return { atMs, writes };
  }

  drop(): void {
    this.#state = 'ended';
    this.#written.clear();
  }

  #rowsOf<Row>(table: Table<Row>): ReadonlyMap<string, Row> {
    if (!this.#isRepeatable) return table.rows;
    this.#seen ??= new Map(
      Object.values(this.tables)
        .filter(({ name }) => name !== 'feed' && name !== 'audit' && name !== 'idempotency')
        .map((each) => [each, new Map<string, unknown>(each.rows)]),
    );
    return (this.#seen.get(table) as ReadonlyMap<string, Row> | undefined) ?? table.rows;
  }
}

export const lockName = (table: Table<unknown>, name: string): string => `${table.name} ${name}`;
