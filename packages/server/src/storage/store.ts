/**
 * A statement is named once, so that PostgreSQL parses and plans it once a connection. An empty name means: not
 * kept. Without a name and without parameters the text may hold several statements; the rows are the last one's.
 */
export interface Statement {
  readonly name: string;
  readonly text: string;
  /** How long its answer is waited for, where the store's own bound is too short (migrations). */
  readonly timeoutMs?: number;
  /** Of a text of several statements: the rows of all of them, one after the other, in place of the last one's. */
  readonly everyRow?: boolean;
  /** What a statement without a name is counted as; for texts that a library writes. */
  readonly countedAs?: string;
}

/** A row as the driver gives it. `bytea` comes as Uint8Array, `timestamptz` as ms, `bigint` as number, `json` parsed. */
export type Row = Readonly<Record<string, unknown>>;

/*
 * Parameters: null, string, number, bigint, boolean, Uint8Array (bytea), Date (timestamptz), an array of these
 * (a PostgreSQL array, for `unnest`), or a plain object (json). A JSON array is passed as its JSON text, since an
 * array always means an array of the database. `undefined` is refused: it is a forgotten value, not a null.
 */

export interface Queryable {
  query<R extends object = Row>(statement: Statement, params?: readonly unknown[]): Promise<readonly R[]>;
}

export interface TransactionOptions {
  readonly isolation?: 'read committed' | 'repeatable read';
  readonly readOnly?: boolean;
  readonly signal?: AbortSignal;
}

/**
 * The store port: two methods, and nothing above it knows which engine answers. `transaction` may run `work`
 * again (serialization failure, deadlock), so `work` must have no effect outside `tx`. Both throw
 * `Fault('store_unavailable')` when the engine can't be reached and `Fault('outcome_unknown')` when the link
 * broke during COMMIT; what the SQL itself got wrong comes as `SqlError` with its SQLSTATE. A `query` outside a
 * transaction is for reading: a write whose link broke has an outcome that nobody can tell, and says so. More
 * waiting callers than the store's bound are refused with `Fault('overloaded')`.
 */
export interface Store extends Queryable {
  transaction<T>(work: (tx: Queryable) => Promise<T>, options?: TransactionOptions): Promise<T>;
  close(): Promise<void>;
}
