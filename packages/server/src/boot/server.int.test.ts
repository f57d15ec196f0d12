import { type Postgres, startPostgres } from '@keyswarm/harness/postgres';
import { afterAll, beforeAll } from 'vitest';
import { createPostgresStore } from '../storage/postgres/postgres-store.ts';
import { describeAccess } from './suite/access.conformance.ts';
import { describeBadInput } from './suite/bad-input.conformance.ts';
import { describeLifecycle } from './suite/lifecycle.conformance.ts';
import { describeRetries } from './suite/retries.conformance.ts';
import { describeService } from './suite/service.conformance.ts';
import { startTestServer, type TestServer } from './suite/test-server.ts';

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

describeLifecycle(() => server);
describeBadInput(() => server);
describeAccess(() => server);
describeRetries(() => server);
describeService(() => server);
