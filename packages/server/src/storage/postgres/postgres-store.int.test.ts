import { type Postgres, startPostgres } from '@keyswarm/harness/postgres';
import { afterAll, beforeAll } from 'vitest';
import { describeStore } from '../store-conformance.ts';
import { createPostgresStore } from './postgres-store.ts';

let postgres: Postgres;
beforeAll(async () => {
  postgres = await startPostgres();
});
afterAll(() => postgres.stop());

describeStore('PostgreSQL', {
  open: async (options = {}) => createPostgresStore({ url: await postgres.createDatabase(), ...options }),
});
