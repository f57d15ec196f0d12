import { createPublicKey } from 'node:crypto';
import { createVerifier } from 'fast-jwt';
import { decodeJwt, decodeProtectedHeader } from 'jose';
import { describe, expect, test } from 'vitest';
import { issue, makeKeyspace, problemOf, terms, verdictOf } from './fixtures.ts';
import type { TestServer } from './test-server.ts';
import { claimsByJose, jwks, makeTokenKeyspace, statusByList } from './token-fixtures.ts';

/** Keys that are tokens: to us a key like any other, to everybody else a signed text. */
export function describeTokens(serverOf: () => TestServer): void {
  describe('a key of a keyspace of tokens', () => {
    test.each(['EdDSA', 'ES256'])(
      'signed with %s is verified by libraries that have never heard of us',
      async (algorithm) => {
        const server = serverOf();
        const keyspace = await makeTokenKeyspace(server, { token: { algorithm } });
        const { id, secret, owner } = await issue(server, keyspace.name, {
          scopes: ['orders:write', 'orders:read'],
        });
        expect(decodeProtectedHeader(secret)).toMatchObject({ alg: algorithm, typ: 'at+jwt' });
        const claims = await claimsByJose(server, secret, keyspace.id);
        expect(claims).toMatchObject({ client_id: id, sub: owner, scope: 'orders:read orders:write' });
        expect(Number(claims.exp) - Number(claims.iat)).toBeLessThanOrEqual(3_600);
        const kid = decodeProtectedHeader(secret).kid;
        const jwk = (await jwks(server)).keys.find((one) => one.kid === kid);
        expect(jwk).toBeDefined();
        const pem = createPublicKey({ key: { ...jwk }, format: 'jwk' }).export({
          type: 'spki',
          format: 'pem',
        });
        const verify = createVerifier({ key: pem, algorithms: [algorithm as 'EdDSA'], cache: false });
        expect(verify(secret)).toMatchObject({ client_id: id });
        expect(() => verify(`${secret.slice(0, -4)}AAAA`)).toThrow();
      },
    );

    test('is verified here by what its record says at that moment, and its list follows', async () => {
      const server = serverOf();
      const keyspace = await makeTokenKeyspace(server);
      const { id, secret } = await issue(server, keyspace.name);
      const asked = { keyspace: keyspace.name, scopes: ['orders:read'] };
      expect(await verdictOf(server, secret, asked)).toBe('valid');
      expect(await verdictOf(server, secret, { ...asked, scopes: ['orders:write'] })).toBe(
        'insufficient_scope',
      );
      expect((await server.post(`/v1/keys/${id}/suspend`)).status).toBe(200);
      expect(await verdictOf(server, secret, asked)).toBe('suspended');
      expect((await server.post(`/v1/keys/${id}/resume`)).status).toBe(200);
      expect((await server.post(`/v1/keys/${id}/revoke`, {})).status).toBe(200);
      expect(await verdictOf(server, secret, asked)).toBe('revoked');
    });

    test('stands in a status list that says what has become of it', async () => {
      const server = serverOf();
      const keyspace = await makeTokenKeyspace(server);
      const keys = await Promise.all(Array.from({ length: 6 }, () => issue(server, keyspace.name)));
      const [good, revoked, suspended, ofOwner, rotated, cut] = keys;
      if (!good || !revoked || !suspended || !ofOwner || !rotated || !cut) throw new Error('six keys');
      await server.post(`/v1/keys/${revoked.id}/revoke`, {});
      await server.post(`/v1/keys/${suspended.id}/suspend`);
      await server.post(`/v1/owners/${ofOwner.owner}/revoke-keys`);
      await server.post(`/v1/keys/${rotated.id}/rotate`, { grace_seconds: 600 });
      const next = await server.post(`/v1/keys/${cut.id}/rotate`, { grace_seconds: 0 });
      const said = [];
      for (const { secret } of keys) said.push(await statusByList(server, secret));
      expect(said).toEqual([0, 1, 2, 1, 0, 1]);
      expect(await statusByList(server, String(next.body.secret))).toBe(0);
      const places = keys.map(({ secret }) => JSON.stringify(decodeJwt(secret).status));
      expect(new Set(places).size).toBe(keys.length);
    });

    test('has its list from a cache while nothing has changed', async () => {
      const server = serverOf();
      const keyspace = await makeTokenKeyspace(server);
      await issue(server, keyspace.name);
      const path = `/status-lists/${keyspace.id}.0`;
      const first = await server.get(path, { key: null });
      const etag = String(first.headers.get('etag'));
      expect(first.headers.get('cache-control')).toBe('public, max-age=60');
      const again = await server.get(path, { key: null, headers: { 'if-none-match': `W/"x", ${etag}` } });
      expect([again.status, again.text]).toEqual([304, '']);
      for (const none of [`${keyspace.id}.1`, `${keyspace.id}.01`, keyspace.id, 'ks_x.0'])
        expect((await server.get(`/status-lists/${none}`, { key: null })).status, none).toBe(404);
    });

    test('is rotated like any other: the old token in its grace, the new one at once', async () => {
      const server = serverOf();
      const keyspace = await makeTokenKeyspace(server);
      const { id, secret } = await issue(server, keyspace.name);
      const rotated = await server.post(`/v1/keys/${id}/rotate`, { grace_seconds: 600 });
      expect(rotated.status, rotated.text).toBe(200);
      const next = String(rotated.body.secret);
      expect(decodeJwt(next).client_id).toBe(id);
      expect(decodeJwt(next).exp).toBe(decodeJwt(secret).exp);
      expect(await verdictOf(server, secret)).toBe('valid');
      expect(await verdictOf(server, next)).toBe('valid');
      await server.post(`/v1/keys/${id}/finish-rotation`, { force: true });
      expect(await verdictOf(server, secret)).toBe('expired');
    });

    test('comes in bulk, each token a key of its own or refused by itself', async () => {
      const server = serverOf();
      const keyspace = await makeTokenKeyspace(server);
      const items = [
        terms(keyspace.name),
        terms(keyspace.name, { scopes: ['nope:x'] }),
        terms(keyspace.name, { scopes: ['No'] }),
      ];
      const reply = await server.post('/v1/keys/bulk', { keys: [...items, ...items] });
      const results = reply.body.results as { secret?: string; error?: { code: string } }[];
      expect(results.map(({ error }) => error?.code)).toEqual([
        undefined,
        'scope_not_allowed',
        'invalid_scope',
        undefined,
        'scope_not_allowed',
        'invalid_scope',
      ]);
      expect(await verdictOf(server, String(results[0]?.secret))).toBe('valid');
    });

    test('is the same token when its request is repeated', async () => {
      const server = serverOf();
      const keyspace = await makeTokenKeyspace(server);
      const body = terms(keyspace.name);
      const headers = { 'idempotency-key': `token-${keyspace.id}` };
      const first = await server.post('/v1/keys', body, { headers });
      expect((await server.post('/v1/keys', body, { headers })).body.secret).toBe(first.body.secret);
    });

    test('has to end, within a year, and fits into a token', async () => {
      const server = serverOf();
      const body = { name: 'endless', prefix: 'endless', format: 'jwt', allowed_scopes: ['orders:*'] };
      const refused = await server.post('/v1/keyspaces', body);
      expect(problemOf(refused)).toEqual({ status: 422, code: 'ttl_too_long', field: '/max_ttl_seconds' });
      const long = await server.post('/v1/keyspaces', { ...body, max_ttl_seconds: 400 * 86_400 });
      expect(problemOf(long)).toMatchObject({ code: 'ttl_too_long' });
      const keyspace = await makeTokenKeyspace(server, { default_ttl_seconds: 60 });
      const scopes = Array.from({ length: 64 }, (_, at) => `orders:${String(at).padStart(100, 'x')}`);
      const large = await server.post('/v1/keys', terms(keyspace.name, { scopes }));
      expect(problemOf(large)).toEqual({ status: 400, code: 'invalid_field', field: '/scopes' });
    });

    test('is not imported: its string is made here alone', async () => {
      const server = serverOf();
      const keyspace = await makeTokenKeyspace(server);
      const { scopes, owner } = terms(keyspace.name) as { scopes: unknown; owner: unknown };
      const key = {
        keyspace: keyspace.name,
        owner,
        scopes,
        hash: { format: 'sha256-hex', value: 'a'.repeat(64) },
      };
      const reply = await server.post('/v1/keys/import', { keys: [key] });
      expect(reply.text).toContain('invalid_field');
    });
  });

  describe('the set of public keys', () => {
    test('holds nothing private, and says for how long it may be kept', async () => {
      const server = serverOf();
      await issue(server, (await makeTokenKeyspace(server)).name);
      const reply = await server.get('/.well-known/jwks.json', { key: null });
      expect(reply.headers.get('cache-control')).toBe('public, max-age=300');
      const { keys } = reply.body as unknown as { keys: Record<string, unknown>[] };
      expect(keys.length).toBeGreaterThanOrEqual(2);
      for (const key of keys) {
        expect(Object.keys(key).sort()).toEqual(
          key.kty === 'EC'
            ? ['alg', 'crv', 'kid', 'kty', 'use', 'x', 'y']
            : ['alg', 'crv', 'kid', 'kty', 'use', 'x'],
        );
      }
      const etag = String(reply.headers.get('etag'));
      const again = await server.get('/.well-known/jwks.json', {
        key: null,
        headers: { 'if-none-match': etag },
      });
      expect(again.status).toBe(304);
    });
  });

  describe('a keyspace of random strings', () => {
    test('goes on as it was', async () => {
      const server = serverOf();
      const keyspace = await makeKeyspace(server);
      const { secret } = await issue(server, keyspace.name);
      expect(secret).toMatch(/^orders_[0-9A-Za-z]+$/);
    });
  });
}
