import { describe, expect, test } from 'vitest';
import {
  type Issued,
  issue,
  makeKeyspace,
  makeWorkspace,
  manager,
  problemOf,
  refused,
  terms,
} from './fixtures.ts';
import type { TestServer } from './test-server.ts';
import { derive } from './token-fixtures.ts';

/** The minutes of a management key, or of a token of one, and the ways by which it might make years of them. */
export function describeOutliving(serverOf: () => TestServer): void {
  const scopes = ['keys:issue:keyswarm', 'keys:update:keyswarm', 'keys:rotate:keyswarm'];
  const soon = (seconds: number) => new Date(Date.now() + seconds * 1000).toISOString();
  const brief = (server: TestServer, more: object = {}): Promise<Issued> =>
    issue(server, 'keyswarm', { scopes, expires_at: soon(600), ...more });
  const tooLong = (field: string) => ({ status: 403, code: 'scope_escalation', field });
  const tooLongAt = { ends: tooLong('/expires_at'), ttl: tooLong('/ttl_seconds') };

  describe('no management key gives one a later end than its own', () => {
    test('by issuing it, with an end, a time to live or none of either', async () => {
      const server = serverOf();
      const { secret: key } = await brief(server);
      const send = (more: object) =>
        refused(server, () =>
          server.post('/v1/keys', terms('keyswarm', { scopes: [scopes[0]], ...more }), { key }),
        );
      expect(await send({})).toEqual(tooLongAt.ends);
      expect(await send({ expires_at: soon(900) })).toEqual(tooLongAt.ends);
      expect(await send({ ttl_seconds: 900 })).toEqual(tooLongAt.ttl);
      await issue(server, 'keyswarm', { scopes, ttl_seconds: 60 }, { key });
    });

    test('and says until when it may', async () => {
      const server = serverOf();
      const expiresAt = soon(600);
      const { secret: key } = await brief(server, { expires_at: expiresAt });
      const { body } = await server.post('/v1/keys', terms('keyswarm', { scopes }), { key });
      expect(body.detail).toContain(expiresAt);
      expect(body.expected).toBe(`a key that ends at ${expiresAt} or sooner`);
      await issue(server, 'keyswarm', { scopes, expires_at: expiresAt }, { key });
    });

    test('nor many of them at once', async () => {
      const server = serverOf();
      const { secret: key } = await brief(server);
      const keys = [{ ttl_seconds: 60 }, {}].map((more) => terms('keyswarm', { scopes, ...more }));
      const { results } = (await server.post('/v1/keys/bulk', { keys }, { key })).body;
      expect(results).toMatchObject([
        { secret: expect.any(String) },
        { error: { code: 'scope_escalation', field: '/expires_at' } },
      ]);
    });

    test('by changing one, itself the first', async () => {
      const server = serverOf();
      const { id, secret: key } = await brief(server);
      const other = await issue(server, 'keyswarm', { scopes: [scopes[0]], ttl_seconds: 60 });
      const patch = (whose: string, body: object) => server.call('PATCH', `/v1/keys/${whose}`, { key, body });
      for (const expires_at of [null, soon(900)]) {
        expect(await refused(server, () => patch(id, { expires_at }))).toEqual(tooLongAt.ends);
        expect(await refused(server, () => patch(other.id, { expires_at }))).toEqual(tooLongAt.ends);
      }
      expect((await patch(other.id, { expires_at: soon(300) })).status).toBe(200);
    });

    test('nor more scopes to one that lasts; to take some away, or time, it may', async () => {
      const server = serverOf();
      const { secret: key } = await brief(server);
      const lasting = await issue(server, 'keyswarm', { scopes: scopes.slice(0, 2) });
      const patch = (body: object) => server.call('PATCH', `/v1/keys/${lasting.id}`, { key, body });
      expect(await refused(server, () => patch({ scopes }))).toEqual(tooLongAt.ends);
      expect((await patch({ name: 'renamed' })).status).toBe(200);
      expect((await patch({ scopes: scopes.slice(0, 1) })).status).toBe(200);
      expect((await patch({ expires_at: soon(900) })).status).toBe(200);
      expect((await patch({ scopes, expires_at: soon(300) })).status).toBe(200);
    });

    test('nor takes the secret of one that lasts by rotating it', async () => {
      const server = serverOf();
      const { secret: key, id } = await brief(server);
      const lasting = await issue(server, 'keyswarm', { scopes: [scopes[0]] });
      const rotate = (whose: string) => server.post(`/v1/keys/${whose}/rotate`, {}, { key });
      expect(await refused(server, () => rotate(lasting.id))).toEqual(tooLong('id'));
      expect((await rotate(id)).status).toBe(200);
    });

    test('and a version in grace counts as ending with that', async () => {
      const server = serverOf();
      const { id, secret: key } = await issue(server, 'keyswarm', { scopes });
      const rotated = await server.post(`/v1/keys/${id}/rotate`, { grace_seconds: 600 });
      const twin = (by: unknown, more = {}) =>
        server.post('/v1/keys', terms('keyswarm', { scopes, ...more }), { key: String(by) });
      expect(await refused(server, () => twin(key))).toEqual(tooLongAt.ends);
      expect((await twin(key, { ttl_seconds: 60 })).status).toBe(201);
      expect((await twin(rotated.body.secret)).status).toBe(201);
    });

    test('nor by a request for approval, when it is made and when it is collected', async () => {
      const server = serverOf();
      // Of its own, since the rule of its managers holds for all of them.
      const root = { key: await makeWorkspace(server) };
      const asker = await issue(server, 'keyswarm', { scopes, expires_at: soon(600) }, root);
      const policy = { ...root, body: { approval: { scopes: ['*'] } } };
      expect((await server.call('PATCH', '/v1/keyspaces/keyswarm', policy)).status).toBe(200);
      const key = asker.secret;
      const ask = (more: object) =>
        server.post('/v1/approvals', terms('keyswarm', { scopes: [scopes[0]], ...more }), { key });
      expect(await refused(server, () => ask({}))).toEqual(tooLongAt.ends);
      const { id } = (await ask({ ttl_seconds: 500 })).body;
      await server.post('/v1/approvals/decide', { decision: 'approve', ids: [id] }, root);
      // Agreed to, and since then the asker has less time left than that.
      const shorter = { ...root, body: { expires_at: soon(300) } };
      expect((await server.call('PATCH', `/v1/keys/${asker.id}`, shorter)).status).toBe(200);
      const collected = await server.post(`/v1/approvals/${id}/collect`, {}, { key });
      expect(problemOf(collected)).toEqual(tooLongAt.ttl);
    });

    test('and keys of access points last as long as they are let', async () => {
      const server = serverOf();
      const key = (await brief(server, { scopes: ['keys:issue', 'keyspaces:write'] })).secret;
      const { name } = await makeKeyspace(server, {}, { key });
      await issue(server, name, {}, { key });
    });

    test('and one without an end does as it likes', async () => {
      const server = serverOf();
      const key = await manager(server, scopes);
      const { id } = await issue(server, 'keyswarm', { scopes, ttl_seconds: 60 }, { key });
      const lasting = await server.call('PATCH', `/v1/keys/${id}`, { key, body: { expires_at: null } });
      expect(lasting.body.expires_at).toBeNull();
      expect((await server.post(`/v1/keys/${id}/rotate`, {}, { key })).status).toBe(200);
    });
  });

  describe('a token that was derived of a management key', () => {
    test('gives no key an end later than its own', async () => {
      const server = serverOf();
      const parent = await issue(server, 'keyswarm', { scopes });
      const key = await derive(server, parent.secret, { expires_in: '120' });
      const twin = () => server.post('/v1/keys', terms('keyswarm', { scopes }), { key });
      expect(await refused(server, twin)).toEqual(tooLongAt.ends);
      const body = { expires_at: soon(3_600) };
      const other = await issue(server, 'keyswarm', { scopes, ttl_seconds: 600 });
      const patch = () => server.call('PATCH', `/v1/keys/${other.id}`, { key, body });
      expect(await refused(server, patch)).toEqual(tooLongAt.ends);
      await issue(server, 'keyswarm', { scopes, ttl_seconds: 30 }, { key });
    });

    test('rotates none, not even one that ends before it does', async () => {
      const server = serverOf();
      const parent = await issue(server, 'keyswarm', { scopes });
      const key = await derive(server, parent.secret, { expires_in: '120' });
      const short = await issue(server, 'keyswarm', { scopes, ttl_seconds: 30 });
      for (const { id } of [parent, short]) {
        const rotate = () => server.post(`/v1/keys/${id}/rotate`, {}, { key });
        expect(await refused(server, rotate)).toEqual(tooLong('Authorization'));
      }
      const token = await derive(server, key);
      const byTokenOfToken = () => server.post(`/v1/keys/${short.id}/rotate`, {}, { key: token });
      expect(await refused(server, byTokenOfToken)).toEqual(tooLong('Authorization'));
      expect((await server.post('/v1/keys/self/renew', {}, { key })).status).toBe(401);
      expect((await server.post(`/v1/keys/${short.id}/rotate`, {}, { key: parent.secret })).status).toBe(200);
    });
  });
}
