import { afterAll, beforeAll } from 'vitest';
import { createPgliteStore } from '../storage/pglite/pglite-store.ts';
import { startTestServer, type TestServer } from './suite/test-server.ts';
import { describeWholeServer } from './suite/whole-server.conformance.ts';

/* The whole server over the embedded store; server.int.test.ts runs the same over PostgreSQL. */

let server: TestServer;
beforeAll(async () => {
  server = await startTestServer({ store: await createPgliteStore() });
}, 30_000);
afterAll(() => server.close());

describeWholeServer(() => server);
