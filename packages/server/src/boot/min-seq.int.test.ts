import { type Postgres, startPostgres } from '@keyswarm/harness/postgres';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { createPostgresStore } from '../storage/postgres/postgres-store.ts';
import { issue, makeKeyspace } from './suite/fixtures.ts';
import { startTestServer, type TestServer } from './suite/test-server.ts';

/* A change at one server, and a question at another that names it. */

let postgres: Postgres;
let here: TestServer;
let there: TestServer;
beforeAll(async () => {
  postgres = await startPostgres();
  const databaseUrl = await postgres.createDatabase();
  const start = (more: object) =>
    startTestServer({
      store: createPostgresStore({ url: databaseUrl }),
      config: { databaseUrl, profile: 'single', ...more },
    });
  here = await start({});
  there = await start({ bootstrapKey: here.rootKey });
}, 60_000);
afterAll(async () => {
  await Promise.all([here?.close(), there?.close()]);
  await postgres.stop();
});

test('is answered from no older state than the change, at once and within the lease', async () => {
  const asRoot = { key: here.rootKey };
  const { name } = await makeKeyspace(here);
  let news = 0;
  for (let round = 0; round < 20; round += 1) {
    const { id, secret } = await issue(here, name);
    const known = await there.post('/v1/keys/verify', { key: secret }, asRoot);
    expect(known.body).toMatchObject({ code: 'valid' });
    const revoked = await here.post(`/v1/keys/${id}/revoke`, {});
    const [unasked, asked] = await Promise.all([
      there.post('/v1/keys/verify', { key: secret }, asRoot),
      there.post('/v1/keys/verify', { key: secret, min_seq: revoked.body.seq }, asRoot),
    ]);
    if (unasked.body.code === 'valid') news += 1;
    expect(asked.body).toMatchObject({ valid: false, code: 'revoked' });
  }
  // Within its lease the other server may answer from before the change: else nothing was waited for.
  expect(news).toBeGreaterThan(0);
});
