import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { createPgliteStore } from '../storage/pglite/pglite-store.ts';
import { freshName, issue, makeKeyspace } from './suite/fixtures.ts';
import { shareStore } from './suite/share-store.ts';
import { macSigner, signatureOf } from './suite/sign-request.ts';
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
    const reply = await ask(closed, keyspace.id, secret);
    expect(reply.status).toBe(404);
    expect(await reply.json()).toMatchObject({ detail: expect.stringContaining('Forward-auth is off here') });
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

  describe('asked about a signed request', () => {
    const signs = { proof: { type: 'hmac-sha256' } };
    const origin = 'https://orders.example';
    const send = async (change: Record<string, string> = {}, question = `&origin=${origin}`) => {
      const { id, secret } = await issue(open, keyspace.name, signs, { key: closed.rootKey });
      const signed = signatureOf(macSigner(`${id}.1`, secret), {
        method: 'POST',
        url: `${origin}/a?b=c`,
        body: 'abc',
      });
      const forwarded = { 'x-forwarded-method': 'POST', 'x-forwarded-uri': '/a?b=c' };
      const headers = { ...forwarded, ...signed, ...change };
      const again = () =>
        fetch(`${open.url}/v1/forward-auth?keyspace=${keyspace.id}${question}`, { headers });
      return { reply: await again(), again, signed };
    };

    test('lets it through once, with the digest that whatever reads the content has to compare', async () => {
      const { reply, again, signed } = await send();
      expect(reply.status).toBe(200);
      expect(reply.headers.get('x-keyswarm-content-digest')).toBe(signed['content-digest']);
      expect((await again()).status).toBe(401);
    });

    test('refuses another method or target, and all where the question names no origin or another', async () => {
      for (const change of [
        { 'x-forwarded-method': 'PUT' },
        { 'x-forwarded-uri': '/a?b=d' },
        { 'x-forwarded-uri': '' },
      ])
        expect((await send(change)).reply.status).toBe(401);
      for (const question of ['', '&origin=https://other.example'])
        expect((await send({}, question)).reply.status).toBe(401);
      expect((await send({}, '&origin=orders')).reply.status).toBe(400);
    });

    test('refuses what may have content and covers no digest of it', async () => {
      const { id, secret } = await issue(open, keyspace.name, signs, { key: closed.rootKey });
      const status = async (method: string) => {
        const signed = signatureOf(macSigner(`${id}.1`, secret), { method, url: `${origin}/` });
        const headers = { ...signed, 'x-forwarded-method': method, 'x-forwarded-uri': '/' };
        const asked = `${open.url}/v1/forward-auth?keyspace=${keyspace.id}&origin=${origin}`;
        return (await fetch(asked, { headers })).status;
      };
      expect(await status('POST')).toBe(401);
      expect(await status('DELETE')).toBe(401);
      expect(await status('GET')).toBe(200);
    });
  });
});
