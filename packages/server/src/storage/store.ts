/** A statement is named once, so that PostgreSQL parses and plans it once a connection. */
export interface Statement {
  readonly name: string;
  readonly text: string;
}

/** A row as the driver gives it. `bytea` comes as Uint8Array, `timestamptz` as ms, `bigint` as number, `json` parsed. */
export type Row = Readonly<Record<string, unknown>>;

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
 * broke during COMMIT; what the SQL itself got wrong comes as `SqlError` with its SQLSTATE.
 */
export interface Store extends Queryable {
  transaction<T>(work: (tx: Queryable) => Promise<T>, options?: TransactionOptions): Promise<T>;
  close(): Promise<void>;
}
