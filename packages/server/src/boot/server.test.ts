import { afterAll, beforeAll } from 'vitest';
import { createPgliteStore } from '../storage/pglite/pglite-store.ts';
import { describeAccess } from './suite/access.conformance.ts';
import { describeBadInput } from './suite/bad-input.conformance.ts';
import { describeLifecycle } from './suite/lifecycle.conformance.ts';
import { describeRetries } from './suite/retries.conformance.ts';
import { describeService } from './suite/service.conformance.ts';
import { startTestServer, type TestServer } from './suite/test-server.ts';

/* The whole server over the embedded store; server.int.test.ts runs the same over PostgreSQL. */

let server: TestServer;
beforeAll(async () => {
  server = await startTestServer({ store: await createPgliteStore() });
}, 30_000);
afterAll(() => server.close());

describeLifecycle(() => server);
describeBadInput(() => server);
describeAccess(() => server);
describeRetries(() => server);
describeService(() => server);
