import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { createPgliteStore } from '../storage/pglite/pglite-store.ts';
import { freshName, issue, makeKeyspace } from './suite/fixtures.ts';
import { shareStore } from './suite/share-store.ts';
import { startTestServer, type TestServer } from './suite/test-server.ts';

/* Forward-auth on a server: off unless asked for, and by id, since it serves several workspaces. */

let closed: TestServer;
let open: TestServer;
let keyspace: { readonly id: string; readonly name: string };
beforeAll(async () => {
  const store = await createPgliteStore();
  closed = await startTestServer({ store: shareStore(store) });
  keyspace = await makeKeyspace(closed);
  const config = { forwardAuth: keyspace.id, bootstrapKey: closed.rootKey };
  open = await startTestServer({ store, config });
}, 60_000);
afterAll(async () => {
  await open?.close();
  await closed?.close();
});

const ask = (server: TestServer, asked: string, key: string) =>
  fetch(`${server.url}/v1/forward-auth?keyspace=${asked}`, { headers: { authorization: `Bearer ${key}` } });

describe('forward-auth on a server', () => {
  test('is not there unless it is asked for', async () => {
    const { secret } = await issue(closed, keyspace.name);
    expect((await ask(closed, keyspace.id, secret)).status).toBe(404);
  });

  test('knows a keyspace by its id alone: another workspace may have one of the same name', async () => {
    const { secret } = await issue(open, keyspace.name, {}, { key: closed.rootKey });
    const good = await ask(open, keyspace.id, secret);
    expect([good.status, good.headers.get('x-keyswarm-keyspace')]).toEqual([200, keyspace.name]);
    expect((await ask(open, keyspace.name, secret)).status).toBe(401);
    const made = (await open.post('/v1/workspaces', { name: freshName('tenant') }, { key: closed.rootKey }))
      .body;
    const tenant = { key: String((made.management_key as { secret: unknown }).secret) };
    const body = { name: keyspace.name, prefix: 'orders', allowed_scopes: ['orders:*'] };
    expect((await open.post('/v1/keyspaces', body, tenant)).status).toBe(201);
    const theirs = await issue(open, keyspace.name, {}, tenant);
    expect((await ask(open, keyspace.id, theirs.secret)).status).toBe(401);
  });
});
