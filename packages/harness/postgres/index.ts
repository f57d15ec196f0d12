export { type Postgres, type StartPostgresOptions, type StopMode, startPostgres } from './start-postgres.ts';
