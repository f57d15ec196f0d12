import { createHash } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import { freshName, issue, makeKeyspace, problemOf, terms, verdictOf } from './fixtures.ts';
import type { TestServer } from './test-server.ts';

/** Idempotency keys, and requests of many items. */
export function describeRetries(serverOf: () => TestServer): void {
  const retryKey = () => ({ headers: { 'idempotency-key': freshName('retry') } });

  describe('a request with an Idempotency-Key', () => {
    test('has one effect, and its reply comes again with the same secret', async () => {
      const server = serverOf();
      const body = terms((await makeKeyspace(server)).name);
      const options = retryKey();
      const first = await server.post('/v1/keys', body, options);
      const before = await server.changes();
      const again = await server.post('/v1/keys', body, options);
      expect(again.status).toBe(201);
      expect(again.text).toBe(first.text);
      expect(await server.changes()).toBe(before);
    });

    test('sent many times at once has one effect; each answer is that one or says to come again', async () => {
      const server = serverOf();
      const body = terms((await makeKeyspace(server)).name);
      const options = retryKey();
      const before = await server.changes();
      const replies = await Promise.all(
        Array.from({ length: 20 }, () => server.post('/v1/keys', body, options)),
      );
      expect(await server.changes()).toBe(before + 1);
      const issued = replies.filter(({ status }) => status === 201);
      expect(new Set(issued.map(({ text }) => text)).size).toBe(1);
      for (const reply of replies.filter(({ status }) => status !== 201)) {
        expect(problemOf(reply)).toEqual({ code: 'idempotency_in_progress', status: 409 });
        expect(reply.headers.get('retry-after')).not.toBeNull();
      }
    });

    test('is refused for another body, another path or another thing, and changes nothing', async () => {
      const server = serverOf();
      const { name } = await makeKeyspace(server);
      const options = retryKey();
      await server.post('/v1/keys', terms(name), options);
      const { id } = await issue(server, name);
      const before = await server.changes();
      const hash = { format: 'sha256-hex', value: createHash('sha256').update(name).digest('hex') };
      for (const [path, body] of [
        ['/v1/keys', terms(name)],
        ['/v1/keys/bulk', { keys: [terms(name)] }],
        ['/v1/keys/import', { keys: [terms(name, { hash })] }],
        [`/v1/keys/${id}/rotate`, {}],
        [`/v1/keys/${id}/revoke`, {}],
        ['/v1/owners', { kind: 'service', external_id: freshName('o') }],
        ['/v1/keyspaces', { name: freshName('n'), prefix: 'n', allowed_scopes: [] }],
      ] as const) {
        expect(problemOf(await server.post(path, body, options)), path).toMatchObject({
          code: 'idempotency_mismatch',
          status: 422,
        });
      }
      expect(await server.changes()).toBe(before);
    });

    test('is replayed for a rotation and a revocation too', async () => {
      const server = serverOf();
      const { id } = await issue(server, (await makeKeyspace(server)).name);
      const [rotate, revoke] = [retryKey(), retryKey()];
      const first = await server.post(`/v1/keys/${id}/rotate`, {}, rotate);
      const again = await server.post(`/v1/keys/${id}/rotate`, {}, rotate);
      expect([again.body.secret, again.body.version]).toEqual([first.body.secret, 2]);
      const revoked = await server.post(`/v1/keys/${id}/revoke`, {}, revoke);
      const replayed = await server.post(`/v1/keys/${id}/revoke`, {}, revoke);
      expect(replayed.status).toBe(200);
      expect(replayed.body.revoked_at).toBe(revoked.body.revoked_at);
    });

    test('that was refused may be sent again, mended', async () => {
      const server = serverOf();
      const { name } = await makeKeyspace(server);
      const options = retryKey();
      expect((await server.post('/v1/keys', terms(name, { scopes: ['no:thing'] }), options)).status).toBe(
        422,
      );
      expect((await server.post('/v1/keys', terms(name), options)).status).toBe(201);
    });
  });

  describe('a bulk request', () => {
    test('issues each item or refuses it by itself, in order', async () => {
      const server = serverOf();
      const { name } = await makeKeyspace(server);
      const keys = [
        terms(name),
        terms(name, { scopes: ['no:thing'] }),
        terms('nowhere'),
        terms(name, { expires_at: '1960-01-01T00:00:00Z' }),
        terms(name),
      ];
      const before = await server.changes();
      const reply = await server.post('/v1/keys/bulk', { keys });
      const results = reply.body.results as { secret?: string; error?: { code: string; field: string } }[];
      expect(results.map(({ error }) => error && [error.code, error.field])).toEqual([
        undefined,
        ['scope_not_allowed', '/scopes/0'],
        ['not_found', '/keyspace'],
        ['invalid_field', '/expires_at'],
        undefined,
      ]);
      expect(await server.changes()).toBe(before + 2);
      expect(await verdictOf(server, String(results[4]?.secret))).toBe('valid');
    });

    test('of a thousand is replayed whole', async () => {
      const server = serverOf();
      const { name } = await makeKeyspace(server);
      const options = retryKey();
      const keys = Array.from({ length: 1000 }, () => terms(name));
      const first = await server.post('/v1/keys/bulk', { keys }, options);
      expect(first.status, first.text.slice(0, 300)).toBe(200);
      expect((await server.post('/v1/keys/bulk', { keys }, options)).text).toBe(first.text);
      const secrets = (first.body.results as { secret: string }[]).map(({ secret }) => ({ key: secret }));
      const verdicts = (await server.post('/v1/keys/verify/bulk', { keys: secrets })).body.results as {
        code: string;
      }[];
      expect(verdicts.filter(({ code }) => code === 'valid')).toHaveLength(1000);
      expect((await server.post('/v1/keys/bulk', { keys: [...keys, terms(name)] })).body).toMatchObject({
        code: 'invalid_field',
        field: '/keys',
      });
    });
  });

  describe('an import', () => {
    const sha256 = (text: string) => createHash('sha256').update(text);

    test('lets holders go on with the strings they have, and takes each hash once', async () => {
      const server = serverOf();
      const { name } = await makeKeyspace(server);
      const [whole, encoded, long] = [freshName('sk-old'), freshName('sk-old'), freshName('token')];
      const keys = [
        terms(name, { hash: { format: 'sha256-hex', value: sha256(whole).digest('hex') } }),
        terms(name, { hash: { format: 'sha256-base64', value: sha256(encoded).digest('base64') } }),
        terms(name, { hash: { format: 'prefixed-api-key', value: sha256(long).digest('hex') } }),
        terms(name, { hash: { format: 'sha256-hex', value: sha256(whole).digest('hex') } }),
        terms(name, { hash: { format: 'sha256-hex', value: 'z'.repeat(64) } }),
      ];
      const results = (await server.post('/v1/keys/import', { keys })).body.results as {
        error?: { code: string };
      }[];
      expect(results.map(({ error }) => error?.code)).toEqual([
        undefined,
        undefined,
        undefined,
        'already_imported',
        'invalid_field',
      ]);
      expect(await verdictOf(server, whole)).toBe('valid');
      expect(await verdictOf(server, encoded)).toBe('valid');
      expect(await verdictOf(server, `myco_short_${long}`)).toBe('valid');
      const again = (await server.post('/v1/keys/import', { keys: keys.slice(0, 1) })).body.results;
      expect(again).toMatchObject([{ error: { code: 'already_imported' } }]);
    });

    test('is replayed whole, part by part', async () => {
      const server = serverOf();
      const { name } = await makeKeyspace(server);
      const options = retryKey();
      const hashes = Array.from({ length: 30 }, () => ({
        format: 'sha256-hex',
        value: sha256(freshName('k')).digest('hex'),
      }));
      const keys = hashes.map((hash) => terms(name, { hash }));
      const first = await server.post('/v1/keys/import', { keys }, options);
      const before = await server.changes();
      expect((await server.post('/v1/keys/import', { keys }, options)).text).toBe(first.text);
      expect(await server.changes()).toBe(before);
      const other = await server.post('/v1/keys/import', { keys: keys.slice(1) }, options);
      expect(problemOf(other)).toMatchObject({ code: 'idempotency_mismatch' });
    });
  });
}
