import { hash } from 'node:crypto';
import { decodeJwt } from 'jose';
import { describe, expect, test } from 'vitest';
import { issue, makeKeyspace, makeWorkspace, manager, verdictOf } from './fixtures.ts';
import { publicUrl, type Reply, type TestServer } from './test-server.ts';
import {
  claimsByJose,
  derive,
  exchangeGrant,
  makeTokenKeyspace,
  postForm,
  statusByList,
} from './token-fixtures.ts';

function errorOf({ status, body }: Reply): unknown {
  return [status, body.error];
}

/** OAuth, as its clients see it. */
export function describeOAuth(serverOf: () => TestServer): void {
  describe('token exchange', () => {
    test('gives a narrower and shorter token for a key, which others verify without us', async () => {
      const server = serverOf();
      const keyspace = await makeKeyspace(server);
      const { id, secret } = await issue(server, keyspace.name, { scopes: ['orders:*'] });
      const reply = await postForm(server, '/oauth/token', {
        ...exchangeGrant,
        subject_token: secret,
        scope: 'orders:read',
        expires_in: '60',
        audience: keyspace.name,
      });
      expect(reply.body).toMatchObject({ token_type: 'Bearer', scope: 'orders:read' });
      expect(reply.headers.get('cache-control')).toBe('no-store');
      expect(Number(reply.body.expires_in)).toBeLessThanOrEqual(60);
      const token = String(reply.body.access_token);
      expect(await claimsByJose(server, token, keyspace.id)).toMatchObject({
        client_id: id,
        scope: 'orders:read',
      });
      expect(await verdictOf(server, token, { keyspace: keyspace.name, scopes: ['orders:read'] })).toBe(
        'valid',
      );
      expect(await verdictOf(server, token, { scopes: ['orders:write'] })).toBe('insufficient_scope');
    });

    test('never widens, never lengthens, and chains no further than three', async () => {
      const server = serverOf();
      const keyspace = await makeKeyspace(server, { token: { derived_ttl_seconds: 120 } });
      const { secret } = await issue(server, keyspace.name, { scopes: ['orders:read'] });
      const ask = (subject: string, more: Record<string, string>) =>
        postForm(server, '/oauth/token', { ...exchangeGrant, subject_token: subject, ...more });
      expect(errorOf(await ask(secret, { scope: 'orders:write' }))).toEqual([400, 'invalid_scope']);
      expect(errorOf(await ask(secret, { scope: 'orders:*' }))).toEqual([400, 'invalid_scope']);
      expect(errorOf(await ask(secret, { scope: 'Orders' }))).toEqual([400, 'invalid_scope']);
      expect(errorOf(await ask(secret, { audience: 'elsewhere' }))).toEqual([400, 'invalid_target']);
      const long = await ask(secret, { expires_in: '99999' });
      expect(Number(long.body.expires_in)).toBeLessThanOrEqual(120);
      const first = await derive(server, secret, { expires_in: '60' });
      const second = await derive(server, first, { expires_in: '9999' });
      expect(Number(decodeJwt(second).exp)).toBeLessThanOrEqual(Number(decodeJwt(first).exp));
      const third = await derive(server, second);
      expect(await verdictOf(server, third)).toBe('valid');
      expect(errorOf(await ask(third, {}))).toEqual([400, 'invalid_grant']);
    });

    test('ends with the key, its owner and its keyspace, for opaque keys and for tokens', async () => {
      const server = serverOf();
      for (const make of [makeKeyspace, makeTokenKeyspace]) {
        const keyspace = await make(server);
        const [one, two, three] = await Promise.all([1, 2, 3].map(() => issue(server, keyspace.name)));
        if (!one || !two || !three) throw new Error('three keys');
        const tokens = await Promise.all([one, two, three].map(({ secret }) => derive(server, secret)));
        const said = () => Promise.all(tokens.map((token) => verdictOf(server, token)));
        expect(await said()).toEqual(['valid', 'valid', 'valid']);
        await server.post(`/v1/keys/${one.id}/revoke`, {});
        await server.post(`/v1/owners/${two.owner}/suspend`);
        expect(await said()).toEqual(['revoked', 'suspended', 'valid']);
        await server.post(`/v1/keyspaces/${keyspace.name}/suspend`);
        expect(await said()).toEqual(['revoked', 'suspended', 'suspended']);
      }
    });

    test('gives tokens of a token its place in the status list, so that readers without the feed see it end', async () => {
      const server = serverOf();
      const keyspace = await makeTokenKeyspace(server);
      const { secret } = await issue(server, keyspace.name);
      const first = await derive(server, secret);
      const second = await derive(server, first);
      for (const token of [first, second]) {
        expect(decodeJwt(token).status).toEqual(decodeJwt(secret).status);
        expect(await statusByList(server, token)).toBe(0);
        expect(await verdictOf(server, token)).toBe('valid');
      }
      const other = await makeTokenKeyspace(server);
      const ended = await issue(server, other.name);
      const dead = await derive(server, ended.secret);
      await server.post(`/v1/keys/${ended.id}/revoke`, {});
      expect(await statusByList(server, dead)).toBe(1);
      const opaque = await issue(server, (await makeKeyspace(server)).name);
      expect(decodeJwt(await derive(server, opaque.secret)).status).toBeUndefined();
    });

    test('gives nothing for what is not valid, imported or missing, and says no more than that', async () => {
      const server = serverOf();
      const keyspace = await makeKeyspace(server);
      const { id, secret } = await issue(server, keyspace.name);
      await server.post(`/v1/keys/${id}/revoke`, {});
      const forged = `${secret.slice(0, -6)}aaaaaa`;
      for (const subject of [secret, forged, 'x', 'eyJ.eyJ.x']) {
        const reply = await postForm(server, '/oauth/token', { ...exchangeGrant, subject_token: subject });
        expect(errorOf(reply)).toEqual([400, 'invalid_grant']);
        expect(reply.body.error_description).toBe('The key or token is not valid.');
      }
      const imported = {
        keyspace: keyspace.name,
        owner: { kind: 'service', external_id: 'old' },
        scopes: ['orders:read'],
      };
      const value = hash('sha256', 'a weak old key', 'hex');
      await server.post('/v1/keys/import', {
        keys: [{ ...imported, hash: { format: 'sha256-hex', value } }],
      });
      expect(await verdictOf(server, 'a weak old key')).toBe('valid');
      const weak = await postForm(server, '/oauth/token', {
        ...exchangeGrant,
        subject_token: 'a weak old key',
      });
      expect(errorOf(weak)).toEqual([400, 'invalid_grant']);
      expect(errorOf(await postForm(server, '/oauth/token', exchangeGrant))).toEqual([
        400,
        'invalid_request',
      ]);
    });

    test('takes forms and nothing else, each parameter once, and bounded', async () => {
      const server = serverOf();
      const twice = 'grant_type=client_credentials&grant_type=client_credentials';
      expect(errorOf(await postForm(server, '/oauth/token', twice))).toEqual([400, 'invalid_request']);
      expect(errorOf(await postForm(server, '/oauth/token', { grant_type: 'password' }))).toEqual([
        400,
        'unsupported_grant_type',
      ]);
      expect(errorOf(await postForm(server, '/oauth/token', ''))).toEqual([400, 'invalid_request']);
      const many = Array.from({ length: 100 }, (_, at) => `p${at}=1`).join('&');
      expect(errorOf(await postForm(server, '/oauth/token', many))).toEqual([400, 'invalid_request']);
      const json = await server.post('/oauth/token', { grant_type: 'client_credentials' }, { key: null });
      expect(json.status).toBe(400);
      const large = await postForm(server, '/oauth/token', `subject_token=${'x'.repeat(1_048_576)}`);
      expect(large.status).toBe(400);
    });
  });

  describe('client credentials', () => {
    test('are a key id and its key string, in the header or the form', async () => {
      const server = serverOf();
      const keyspace = await makeKeyspace(server);
      const { id, secret } = await issue(server, keyspace.name);
      const form = { grant_type: 'client_credentials' };
      const basic = `Basic ${Buffer.from(`${id}:${secret}`).toString('base64')}`;
      const byHeader = await postForm(server, '/oauth/token', form, { headers: { authorization: basic } });
      expect(byHeader.status, byHeader.text).toBe(200);
      const byForm = await postForm(server, '/oauth/token', {
        ...form,
        client_id: id,
        client_secret: secret,
      });
      expect(await verdictOf(server, String(byForm.body.access_token))).toBe('valid');
      const other = await issue(server, keyspace.name);
      const token = await derive(server, secret);
      for (const wrong of [
        { client_id: other.id, client_secret: secret },
        { client_id: id, client_secret: 'nope' },
        { client_id: id, client_secret: token },
        {},
      ]) {
        const reply = await postForm(server, '/oauth/token', { ...form, ...wrong });
        expect(errorOf(reply)).toEqual([401, 'invalid_client']);
        expect(reply.headers.get('www-authenticate')).toContain('Basic');
      }
    });
  });

  describe('introspection', () => {
    test('says what a token is good for, and of any other only that it is not active', async () => {
      const server = serverOf();
      const keyspace = await makeKeyspace(server);
      const { id, secret, owner } = await issue(server, keyspace.name);
      const ask = (token: string, key: string | null = server.rootKey) =>
        postForm(server, '/oauth/introspect', { token }, { key });
      expect((await ask(secret)).body).toMatchObject({
        active: true,
        client_id: id,
        sub: owner,
        aud: keyspace.id,
        scope: 'orders:read',
        iss: publicUrl,
      });
      const token = await derive(server, secret);
      expect((await ask(token)).body).toMatchObject({
        active: true,
        client_id: id,
        exp: decodeJwt(token).exp,
      });
      await server.post(`/v1/keys/${id}/revoke`, {});
      for (const dead of [secret, token, 'nope', 'x'.repeat(10_000)])
        expect((await ask(dead)).text).toBe('{"active":false}');
      expect((await ask(secret, null)).status).toBe(401);
      expect(errorOf(await ask(secret, await manager(server, ['keys:read'])))).toEqual([
        403,
        'insufficient_scope',
      ]);
      expect((await ask(secret, await makeWorkspace(server))).text).toBe('{"active":false}');
    });
  });

  describe('revocation by possession', () => {
    test('ends a key that its holder gives away, and answers the same for what was none', async () => {
      const server = serverOf();
      const keyspace = await makeKeyspace(server);
      const { secret } = await issue(server, keyspace.name);
      const token = await derive(server, secret);
      const revoke = (one: string) => postForm(server, '/oauth/revoke', { token: one });
      expect(errorOf(await revoke(token))).toEqual([400, 'unsupported_token_type']);
      expect(await verdictOf(server, secret)).toBe('valid');
      for (const one of [secret, secret, token, 'nope']) expect((await revoke(one)).status).toBe(200);
      expect(await verdictOf(server, secret)).toBe('revoked');
      expect(await verdictOf(server, token)).toBe('revoked');
    });

    test('ends a suspended key as well', async () => {
      const server = serverOf();
      const { id, secret } = await issue(server, (await makeKeyspace(server)).name);
      await server.post(`/v1/keys/${id}/suspend`);
      expect((await postForm(server, '/oauth/revoke', { token: secret })).status).toBe(200);
      expect(await verdictOf(server, secret)).toBe('revoked');
    });
  });

  describe('a derived token of a management key', () => {
    test('may do what it says and no more, and is not the key', async () => {
      const server = serverOf();
      const key = await manager(server, ['keys:read', 'keys:verify', 'keyspaces:read']);
      const token = await derive(server, key, { scope: 'keyspaces:read' });
      expect((await server.get('/v1/keyspaces', { key: token })).status).toBe(200);
      expect((await server.get('/v1/keys', { key: token })).status).toBe(403);
      const renewed = await server.post('/v1/keys/self/renew', {}, { key: token });
      expect(renewed.status).toBeGreaterThanOrEqual(400);
      const revoked = await server.post('/v1/keys/self/revoke', {}, { key: token });
      expect(revoked.status).toBeGreaterThanOrEqual(400);
      expect((await server.get('/v1/keyspaces', { key })).status).toBe(200);
    });
  });

  test('the metadata name every endpoint that there is', async () => {
    const server = serverOf();
    const reply = await server.get('/.well-known/oauth-authorization-server', { key: null });
    expect(reply.body).toMatchObject({ issuer: publicUrl, token_endpoint: `${publicUrl}/oauth/token` });
    for (const [name, value] of Object.entries(reply.body)) {
      if (!name.endsWith('_endpoint') && name !== 'jwks_uri') continue;
      const path = String(value).slice(publicUrl.length);
      expect((await server.get(path, { key: null })).status, path).not.toBe(404);
    }
  });
}
