import { describe, expect, test } from 'vitest';
import {
  freshName,
  issue,
  makeKeyspace,
  manager,
  problemOf,
  refused,
  verdictOf,
  withoutRequestId,
} from './fixtures.ts';
import type { Reply, TestServer } from './test-server.ts';

/** What the holder of a key does by the key itself. */
export function describeHolders(serverOf: () => TestServer): void {
  const self = (key: string) => serverOf().get('/v1/keys/self', { key });
  const renew = (key: string, headers: Record<string, string> = {}) =>
    serverOf().post('/v1/keys/self/renew', {}, { key, headers });
  const revoke = (key: string, query = '') =>
    serverOf().post(`/v1/keys/self/revoke${query}`, { reason: 'lost' }, { key });

  describe('the holder of a key', () => {
    test('is told what it holds and when to renew it, of any keyspace', async () => {
      const server = serverOf();
      const { id: keyspace_id, name: keyspace } = await makeKeyspace(server);
      const key = await issue(server, keyspace, { ttl_seconds: 3600 });
      const reply = await self(key.secret);
      expect(reply.status).toBe(200);
      const { renew_after: after, renew_by: by, expires_at: end, ...rest } = reply.body;
      expect(rest).toMatchObject({ id: key.id, version: 1, state: 'active', keyspace, keyspace_id });
      expect(rest).toMatchObject({ scopes: ['orders:read'], owner: { id: key.owner, kind: 'service' } });
      const times = [after, by, end].map((text) => Date.parse(String(text)));
      expect(times).toEqual([...times].sort((a, b) => a - b));
      expect((times[2] ?? 0) - (times[0] ?? 0)).toBeLessThanOrEqual(1_200_000);
      const endless = await issue(server, keyspace);
      expect((await self(endless.secret)).body).toMatchObject({ renew_after: null, renew_by: null });
      expect((await self(server.rootKey)).body).toMatchObject({ keyspace: 'keyswarm' });
    });

    test('renews it within its window, and both secrets work meanwhile', async () => {
      const server = serverOf();
      const { name } = await makeKeyspace(server);
      const key = await issue(server, name, { ttl_seconds: 3600 });
      const early = await renew(key.secret);
      expect(problemOf(early)).toEqual({ code: 'renew_too_early', status: 409 });
      const opens = (await self(key.secret)).body.renew_after;
      expect(early.body.renew_after).toBe(opens);
      const waitMs = Number(early.headers.get('retry-after')) * 1000;
      expect(Math.abs(Date.now() + waitMs - Date.parse(String(opens)))).toBeLessThan(60_000);
      await server.openWindow(key.id);
      const renewed = await renew(key.secret);
      expect(renewed.status, renewed.text).toBe(200);
      expect(renewed.body).toMatchObject({ id: key.id, version: 2, previous: { version: 1 } });
      const secret = String(renewed.body.secret);
      expect(await verdictOf(server, key.secret)).toBe('valid');
      expect(await verdictOf(server, secret)).toBe('valid');
      expect((await self(key.secret)).body).toMatchObject({ version: 1, state: 'grace', renew_after: null });
      expect((await self(secret)).body).toMatchObject({ version: 2, state: 'active' });
      expect(problemOf(await renew(secret)), 'asked once, renewed once').toMatchObject({
        code: 'renew_too_early',
      });
    });

    test('gets the same secret when it asks again by the same Idempotency-Key, also by the old version', async () => {
      const server = serverOf();
      const key = await issue(server, (await makeKeyspace(server)).name);
      await server.openWindow(key.id);
      const headers = { 'idempotency-key': freshName('renewal') };
      const first = await renew(key.secret, headers);
      expect(first.status, first.text).toBe(200);
      const before = await server.changes();
      expect((await renew(key.secret, headers)).text).toBe(first.text);
      expect((await renew(String(first.body.secret), headers)).text).toBe(first.text);
      expect(await server.changes()).toBe(before);
    });

    test('is asked to come again where it may have crashed a moment ago, and leaves no third version', async () => {
      const server = serverOf();
      const key = await issue(server, (await makeKeyspace(server)).name);
      await server.openWindow(key.id);
      await renew(key.secret);
      expect(problemOf(await renew(key.secret))).toEqual({ code: 'renew_too_early', status: 409 });
      const shown = (await server.get(`/v1/keys/${key.id}`)).body;
      expect(shown.versions).toMatchObject([{ state: 'grace' }, { state: 'active' }]);
    });

    test('that lost the answer gets another secret in its place, until one of them was used', async () => {
      const server = serverOf();
      const key = await issue(server, (await makeKeyspace(server)).name);
      await server.openWindow(key.id);
      const lost = String((await renew(key.secret)).body.secret);
      for (let crashes = 0; crashes < 3; crashes += 1) {
        await server.age(key.id);
        const again = await renew(key.secret);
        expect(again.status, again.text).toBe(200);
        expect(again.body).toMatchObject({ version: 2, previous: { version: 1 } });
        const shown = (await server.get(`/v1/keys/${key.id}`)).body.versions;
        expect(shown).toMatchObject([{ state: 'grace' }, { state: 'active' }]);
        if (crashes < 2) continue;
        expect(await verdictOf(server, lost)).toBe('unknown');
        expect((await self(String(again.body.secret))).body).toMatchObject({ version: 2, state: 'active' });
        await server.age(key.id);
      }
      expect(problemOf(await renew(key.secret))).toEqual({ code: 'version_superseded', status: 409 });
    });

    test('is refused a renewal where a manager rotated: that version is somebody else’s to give', async () => {
      const server = serverOf();
      const key = await issue(server, (await makeKeyspace(server)).name);
      await server.post(`/v1/keys/${key.id}/rotate`, {});
      expect(await refused(server, () => renew(key.secret))).toEqual({
        code: 'version_superseded',
        status: 409,
      });
    });

    test('ends it, also by a version in grace and while it is suspended', async () => {
      const server = serverOf();
      const { name } = await makeKeyspace(server);
      const plain = await issue(server, name);
      const rotating = await issue(server, name);
      await server.post(`/v1/keys/${rotating.id}/rotate`, {});
      const suspended = await issue(server, name);
      await server.post(`/v1/keys/${suspended.id}/suspend`, {});
      for (const key of [plain, rotating, suspended]) {
        const reply = await revoke(key.secret, '?wait=effective');
        expect(reply.status, reply.text).toBe(200);
        expect(reply.body).toMatchObject({ id: key.id, state: 'revoked', effective: { laggards: [] } });
        expect(await verdictOf(server, key.secret)).toBe('revoked');
      }
      const event = await eventOf(server, 'key.revoked', plain.id);
      expect(event).toMatchObject({ by: 'holder', reason: 'lost', actor: plain.id });
    });

    test('who holds nothing that works gets one and the same answer, whatever it is', async () => {
      const server = serverOf();
      const { name } = await makeKeyspace(server);
      const revoked = await issue(server, name);
      await revoke(revoked.secret);
      const retired = await issue(server, name);
      await server.post(`/v1/keys/${retired.id}/rotate`, { grace_seconds: 0 });
      const suspended = await issue(server, name);
      await server.post(`/v1/keys/${suspended.id}/suspend`, {});
      const strangers = [revoked.secret, retired.secret, `${revoked.secret.slice(0, -1)}_`, 'x', 'orders_1'];
      const replies: Reply[] = [];
      for (const key of strangers) replies.push(await self(key), await renew(key), await revoke(key));
      replies.push(await self(suspended.secret), await renew(suspended.secret));
      replies.push(await server.post('/v1/keys/enroll', {}, { key: retired.secret }));
      replies.push(await server.post('/v1/keys/self/renew', {}, { key: null }));
      expect(new Set(replies.map((reply) => `${reply.status} ${withoutRequestId(reply)}`)).size).toBe(1);
      expect(replies[0]?.status).toBe(401);
      expect(await verdictOf(server, retired.secret)).toBe('expired');
    });

    test('gets no more than it has by renewing a management key, whose end stays where it was', async () => {
      const server = serverOf();
      const key = await issue(server, 'keyswarm', { scopes: ['keys:read'], ttl_seconds: 3600 });
      const { expires_at: end } = (await server.get(`/v1/keys/${key.id}`)).body;
      await server.openWindow(key.id);
      const renewed = await renew(key.secret);
      expect(renewed.body).toMatchObject({ expires_at: end, scopes: ['keys:read'] });
      const secret = String(renewed.body.secret);
      expect((await server.get('/v1/keys?limit=1', { key: secret })).status).toBe(200);
      expect((await server.post('/v1/keys', {}, { key: secret })).status).toBe(403);
    });

    test('may do nothing but that: a key of an access point is no management key, whatever its scopes', async () => {
      const server = serverOf();
      const { name } = await makeKeyspace(server, { allowed_scopes: ['*'] });
      const key = await issue(server, name, { scopes: ['*'] });
      expect((await server.get('/v1/keys', { key: key.secret })).status).toBe(401);
      expect((await self(await manager(server, ['keys:read']))).status).toBe(200);
    });

    test('is told of a field that is not known, and of a body that is no object', async () => {
      const server = serverOf();
      const { secret: key } = await issue(server, (await makeKeyspace(server)).name);
      const send = (body: unknown) => server.post('/v1/keys/self/renew', body, { key });
      expect(problemOf(await send({ grace_seconds: 1 }))).toMatchObject({ code: 'unknown_field' });
      expect((await send('[')).status).toBe(400);
    });
  });
}

/** The data of the event of this type that a key has, wherever in the feed it stands. */
async function eventOf(server: TestServer, type: string, subject: string): Promise<unknown> {
  let cursor = '';
  for (;;) {
    const { body } = await server.get(`/v1/events?types=${type}&limit=200${cursor}`);
    const items = body.items as { readonly subject: string; readonly data: unknown }[];
    const found = items.find((event) => event.subject === subject);
    if (found !== undefined) return found.data;
    const next = `&after=${body.next_cursor}`;
    if (next === cursor) return undefined;
    cursor = next;
  }
}
