import { SqlError, sqlstates } from '@keyswarm/server/rooms/storage/sql-error';

export function uniqueViolation(constraint: string): SqlError {
  return new SqlError({ sqlstate: sqlstates.uniqueViolation, statement: 'simulated', constraint });
}
