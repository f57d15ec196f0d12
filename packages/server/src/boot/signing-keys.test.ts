import { decodeProtectedHeader } from 'jose';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { createPgliteStore } from '../storage/pglite/pglite-store.ts';
import type { Store } from '../storage/store.ts';
import { issue, problemOf, verdictOf } from './suite/fixtures.ts';
import { shareStore } from './suite/share-store.ts';
import { startTestServer, type TestServer } from './suite/test-server.ts';
import { derive, jwks, makeTokenKeyspace } from './suite/token-fixtures.ts';

/* What takes time or a restart: gates that open, and a master key that is replaced. Time goes by in the store. */

let store: Store;
const servers: TestServer[] = [];
beforeAll(async () => {
  store = await createPgliteStore();
}, 30_000);
afterAll(async () => {
  for (const server of servers) await server.close();
  await store.close();
});

const keyOf = (byte: number) => Buffer.alloc(32, byte).toString('base64');

async function start(config: object = {}): Promise<TestServer> {
  const server = await startTestServer({
    store: shareStore(store),
    config: { masterKey: keyOf(7), ...config },
  });
  servers.push(server);
  return server;
}

async function stop(server: TestServer): Promise<void> {
  servers.splice(servers.indexOf(server), 1);
  await server.close();
}

/** As if this member of every signing key had been written long ago. */
async function longAgo(member: string): Promise<void> {
  const text = `update documents set body = jsonb_set(body, '{${member}}', '1000') where kind = 'sk'`;
  await store.query({ name: '', text });
}

interface Shown {
  readonly id: string;
  readonly state: string;
}

async function inState(server: TestServer, state: string): Promise<string> {
  const { items } = (await server.get('/v1/signing-keys')).body as unknown as { items: Shown[] };
  return items.find((one) => one.state === state)?.id ?? '';
}

describe('a signing key', () => {
  test('hands over once its time has come, its tokens live on, and it goes once they are over', async () => {
    const server = await start();
    const keyspace = await makeTokenKeyspace(server);
    const old = await issue(server, keyspace.name);
    const [active, standby] = [await inState(server, 'active'), await inState(server, 'published')];
    const rotate = () => server.post('/v1/signing-keys/rotate', { algorithm: 'EdDSA' });
    expect(problemOf(await rotate())).toMatchObject({ code: 'signing_key_gate' });
    await longAgo('published_at_ms');
    const rotated = await rotate();
    expect(rotated.status, rotated.text).toBe(200);
    expect(rotated.body).toMatchObject({ id: standby, state: 'active' });
    expect(problemOf(await rotate())).toMatchObject({ code: 'signing_key_gate' });

    const next = await issue(server, keyspace.name);
    expect(decodeProtectedHeader(next.secret).kid).toBe(standby);
    expect(await verdictOf(server, old.secret)).toBe('valid');
    expect((await jwks(server)).keys.map(({ kid }) => kid)).toContain(active);

    const remove = () => server.post(`/v1/signing-keys/${active}/remove`, {});
    expect(problemOf(await remove())).toMatchObject({ code: 'signing_key_gate' });
    await longAgo('tokens_until_ms');
    expect((await remove()).body).toMatchObject({ state: 'removed' });
    expect((await jwks(server)).keys.map(({ kid }) => kid)).not.toContain(active);
    const text = `select body ->> 'sealed' as sealed from documents where kind = 'sk' and body ->> 'state' = 'removed'`;
    expect(await store.query({ name: '', text })).toEqual([{ sealed: '' }]);
    await stop(server);
  });

  test('that is known from a snapshot verifies as one that was heard of, and one that was removed does not come back', async () => {
    const first = await start();
    const keyspace = await makeTokenKeyspace(first);
    const { secret } = await issue(first, keyspace.name);
    const derived = await derive(first, secret);
    await stop(first);
    const second = await start();
    expect(await verdictOf(second, secret)).toBe('valid');
    expect(await verdictOf(second, derived)).toBe('valid');
    await second.post(`/v1/signing-keys/${decodeProtectedHeader(secret).kid}/revoke`, {});
    await stop(second);
    const third = await start();
    expect(['revoked', 'unknown']).toContain(await verdictOf(third, secret));
    await stop(third);
  });
});

describe('the master key', () => {
  test('is replaced while the one before is at hand: what was signed and sealed goes on', async () => {
    const before = await start();
    const keyspace = await makeTokenKeyspace(before);
    const { secret } = await issue(before, keyspace.name);
    const kid = decodeProtectedHeader(secret).kid;
    const headers = { 'idempotency-key': 'across-the-master-key' };
    const body = { name: 'kept', prefix: 'kept', allowed_scopes: ['a:*'] };
    const kept = await before.post('/v1/keyspaces', body, { headers });
    await stop(before);

    const during = await start({
      masterKey: keyOf(8),
      previousMasterKey: keyOf(7),
    });
    expect(during.log()).toContain('sealed under the new master key');
    const next = await issue(during, keyspace.name, {}, { key: before.rootKey });
    expect(decodeProtectedHeader(next.secret).kid).toBe(kid);
    expect(await verdictOf(during, secret)).toBe('valid');
    const replayed = await during.post('/v1/keyspaces', body, { headers, key: before.rootKey });
    expect(replayed.body.id).toBe(kept.body.id);
    await stop(during);

    const after = await start({ masterKey: keyOf(8) });
    expect(after.log()).not.toContain('not known here');
    const last = await issue(after, keyspace.name, {}, { key: before.rootKey });
    expect(decodeProtectedHeader(last.secret).kid).toBe(kid);
    await stop(after);

    const wrong = await start({ masterKey: keyOf(9) });
    expect(wrong.log()).toContain('sealed under a master key that is not known here');
    expect(await verdictOf(wrong, last.secret)).toBe('valid');
    await stop(wrong);
  }, 30_000);
});
