import { hash } from 'node:crypto';
import { type Postgres, startPostgres } from '@keyswarm/harness/postgres';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { createPostgresStore } from '../storage/postgres/postgres-store.ts';
import { freshName, issue, makeKeyspace, terms } from './suite/fixtures.ts';
import { startTestServer, type TestServer } from './suite/test-server.ts';

/* What one server acknowledged, another must not refuse for want of news. Each round is before the news would come. */

const rounds = 10;
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

describe('at another server', () => {
  test('a foreign string that was imported a moment ago is not malformed', async () => {
    const { name } = await makeKeyspace(here);
    for (let round = 0; round < rounds; round += 1) {
      const text = freshName('a foreign string, of no form of ours');
      const digest = { format: 'sha256-hex', value: hash('sha256', text) };
      const imported = await here.post('/v1/keys/import', { keys: [terms(name, { hash: digest })] });
      expect(imported.body.results).toMatchObject([{ version: 1 }]);
      const verdict = await there.post('/v1/keys/verify', { key: text }, { key: here.rootKey });
      expect(verdict.body).toMatchObject({ code: 'valid' });
    }
  });

  test('a management key that was given a scope a moment ago is not forbidden to use it', async () => {
    for (let round = 0; round < rounds; round += 1) {
      const { id, secret } = await issue(here, 'keyswarm', { scopes: ['owners:read'] });
      expect((await there.get('/v1/owners', { key: secret })).status).toBe(200);
      await here.call('PATCH', `/v1/keys/${id}`, { body: { scopes: ['owners:read', 'keyspaces:read'] } });
      expect((await there.get('/v1/keyspaces', { key: secret })).status).toBe(200);
    }
  });

  test('a scope that nobody gave is refused all the same', async () => {
    const { secret } = await issue(here, 'keyswarm', { scopes: ['owners:read'] });
    expect((await there.get('/v1/keyspaces', { key: secret })).status).toBe(403);
  });
});
