export interface SqlErrorDetails {
  /** Five characters, PostgreSQL appendix A. */
  readonly sqlstate: string;
  /** Name of the statement, or the beginning of its text: never a parameter. */
  readonly statement: string;
  readonly constraint?: string | undefined;
  readonly table?: string | undefined;
  readonly column?: string | undefined;
  /** What the engine said, where that can hold no value of a parameter. */
  readonly said?: string | undefined;
}

/**
 * The SQL itself was refused: a constraint, a type, a syntax, a conflict. The engine's own message and detail
 * quote parameters ("invalid input syntax for type uuid: …", "Key (fingerprint)=(…) already exists"), and a
 * parameter may be a secret's hash or a customer's data, so neither is kept here: message and properties hold
 * names of the schema only.
 */
export class SqlError extends Error {
  override readonly name = 'SqlError';
  readonly sqlstate: string;
  readonly statement: string;
  readonly constraint: string | undefined;
  readonly table: string | undefined;
  readonly column: string | undefined;

  constructor(details: SqlErrorDetails) {
    const where = [
      details.constraint && `constraint ${details.constraint}`,
      details.table && `table ${details.table}`,
      details.column && `column ${details.column}`,
    ].filter(Boolean);
    const place = where.length > 0 ? ` (${where.join(', ')})` : '';
    const said = details.said === undefined ? '' : `: ${details.said}`;
    super(`SQL ${details.sqlstate} in "${details.statement}"${place}${said}`);
    this.sqlstate = details.sqlstate;
    this.statement = details.statement;
    this.constraint = details.constraint;
    this.table = details.table;
    this.column = details.column;
  }

  /** The engine gave this transaction up for another's sake: the same work may succeed when it is run again. */
  get conflict(): boolean {
    return this.sqlstate === sqlstates.serializationFailure || this.sqlstate === sqlstates.deadlock;
  }
}

export const sqlstates = Object.freeze({
  serializationFailure: '40001',
  deadlock: '40P01',
  uniqueViolation: '23505',
  numberOutOfRange: '22003',
  transactionAborted: '25P02',
  duplicateTable: '42P07',
  duplicateObject: '42710',
  undefinedTable: '42P01',
});
