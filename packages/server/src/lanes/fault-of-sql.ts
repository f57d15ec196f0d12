import { Fault, type FaultCode } from '@keyswarm/core';
import { SqlError, sqlstates } from '../storage/sql-error.ts';

/** Promises that the schema itself keeps, and what breaking one means to the caller who did it. */
const faultsOfConstraints: Readonly<Record<string, { readonly code: FaultCode; readonly detail: string }>> = {
  keyspaces_name_unique: { code: 'name_taken', detail: 'There is a keyspace of this name.' },
  key_versions_fingerprint_unique: { code: 'already_imported', detail: 'This key is already known.' },
};

/** What a caller is told when the store refused the SQL of this one write. */
export function faultOfSql(error: SqlError): Fault {
  const known = isUniqueViolation(error) ? faultsOfConstraints[error.constraint ?? ''] : undefined;
  if (known !== undefined) return new Fault(known.code, { detail: known.detail, cause: error });
  return new Fault('internal', { detail: 'The store refused this write.', cause: error });
}

export function isUniqueViolation(error: unknown): boolean {
  return error instanceof SqlError && error.sqlstate === sqlstates.uniqueViolation;
}
