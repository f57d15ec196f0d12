import { type Postgres, startPostgres } from '@keyswarm/harness/postgres';
import { afterAll, beforeAll } from 'vitest';
import { createPostgresStore } from '../storage/postgres/postgres-store.ts';
import { startTestServer, type TestServer } from './suite/test-server.ts';
import { describeWholeServer } from './suite/whole-server.conformance.ts';

/* The suite of server.test.ts over PostgreSQL. */

let postgres: Postgres;
let server: TestServer;
beforeAll(async () => {
  postgres = await startPostgres();
  const databaseUrl = await postgres.createDatabase();
  server = await startTestServer({
    store: createPostgresStore({ url: databaseUrl }),
    config: { databaseUrl },
  });
});
afterAll(async () => {
  await server.close();
  await postgres.stop();
});

describeWholeServer(() => server);
