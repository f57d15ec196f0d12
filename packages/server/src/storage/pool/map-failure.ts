import { Fault } from '@keyswarm/core';
import { DatabaseError } from 'pg';
import { SqlError } from '../sql-error.ts';
import type { Statement } from '../store.ts';

const details = {
  store_unavailable: 'The store can not be reached.',
  overloaded: 'The store did not answer in its time.',
} as const;

/*
 * What the engine refuses for its own sake, not because of the statement: the caller may come again. By SQLSTATE,
 * or by its class (the first two characters). Everything else is an `SqlError`.
 */
const engineFaults: Readonly<Record<string, keyof typeof details>> = Object.freeze({
  '08': 'store_unavailable', // connection exceptions
  '53': 'store_unavailable', // out of connections, memory or disk
  '58': 'store_unavailable', // the engine's own I/O failed
  '57P01': 'store_unavailable', // shut down by its administrator
  '57P02': 'store_unavailable', // crashed
  '57P03': 'store_unavailable', // starting, stopping or recovering
  '57P05': 'store_unavailable', // ended an idle session
  '25P03': 'store_unavailable', // ended a session idle in its transaction
  '25P04': 'store_unavailable', // ended a transaction that took too long
  '57014': 'overloaded', // the statement took longer than its bound
  '55P03': 'overloaded', // a lock was waited for longer than its bound
});

/** What a failed statement means to the caller. `written`: may the statement have changed something? */
export function mapFailure(error: unknown, statement: Statement, written: boolean): Error {
  if (error instanceof SqlError || error instanceof Fault) return error;
  if (error instanceof DatabaseError) return mapRefusal(error, statement, written);
  if (error instanceof TypeError || error instanceof RangeError) return error;
  return linkFault(error, written);
}

/** Somebody has answered, and the answer was no: the link is in order, or the engine itself has ended it. */
export function isRefusal(error: unknown): boolean {
  return [DatabaseError, SqlError, TypeError, RangeError].some((kind) => error instanceof kind);
}

/** The link broke, or the answer did not come in time. */
export function linkFault(cause: unknown, written: boolean): Fault {
  return written ? outcomeUnknown(cause) : unavailable(cause);
}

export function unavailable(cause: unknown): Fault {
  return new Fault('store_unavailable', {
    detail: details.store_unavailable,
    retryAfterMs: 1000,
    cause: describeCause(cause),
  });
}

export function outcomeUnknown(cause: unknown): Fault {
  return new Fault('outcome_unknown', {
    detail: 'The link to the store broke before the outcome of the write was known.',
    retryAfterMs: 1000,
    cause: describeCause(cause),
  });
}

function mapRefusal(error: DatabaseError, statement: Statement, written: boolean): Error {
  const sqlstate = error.code ?? 'XX000';
  const code = engineFaults[sqlstate] ?? engineFaults[sqlstate.slice(0, 2)];
  // The engine ends a session even while its commit waits for a standby, and says the same as before it.
  if (code === 'store_unavailable' && written) return outcomeUnknown(error);
  if (code !== undefined) {
    return new Fault(code, { detail: details[code], retryAfterMs: 1000, cause: describeCause(error) });
  }
  return new SqlError({
    sqlstate,
    statement: nameOf(statement),
    constraint: error.constraint,
    table: error.table,
    column: error.column,
    // Class 42 (syntax, names, types) quotes the statement's own text, which is ours, and no parameter.
    said: sqlstate.startsWith('42') ? error.message : undefined,
  });
}

/** A cause is logged. The driver's own error may carry the engine's detail, and with it a parameter's value. */
function describeCause(cause: unknown): Error {
  if (cause instanceof DatabaseError) return new Error(`SQLSTATE ${cause.code ?? 'none'}`);
  if (!(cause instanceof Error)) return new Error(String(cause));
  const code = 'code' in cause && typeof cause.code === 'string' ? `${cause.code}: ` : '';
  return new Error(`${code}${cause.message}`);
}

const nameOf = ({ name, text }: Statement): string => name || text.replace(/\s+/g, ' ').trim().slice(0, 60);
