import { describe, expect, test } from 'vitest';
import { issue, makeKeyspace, refused, terms } from './fixtures.ts';
import type { TestServer } from './test-server.ts';

/** What is wrong with a field has a code of its own, names the field, and changes nothing. */
export function describeBadFields(serverOf: () => TestServer): void {
  describe('a field', () => {
    const keyspace = { name: 'bad', prefix: 'bad', allowed_scopes: [] };
    test.each([
      [
        { ...keyspace, colour: 1 },
        { code: 'unknown_field', field: '/colour', status: 400 },
      ],
      [
        { ...keyspace, name: 7 },
        { code: 'invalid_field', field: '/name', status: 400 },
      ],
      [
        { ...keyspace, lease_seconds: '30' },
        { code: 'invalid_field', field: '/lease_seconds', status: 400 },
      ],
      [
        { ...keyspace, lease_seconds: 601 },
        { code: 'invalid_field', field: '/lease_seconds', status: 400 },
      ],
      [
        { ...keyspace, name: 'Bad' },
        { code: 'invalid_field', field: '/name', status: 400 },
      ],
      [
        { name: 'bad', prefix: 'bad' },
        { code: 'missing_field', field: '/allowed_scopes', status: 400 },
      ],
      [
        { ...keyspace, prefix: 'Bad_' },
        { code: 'invalid_prefix', field: '/prefix', status: 422 },
      ],
      [
        { ...keyspace, prefix: 'keyswarm' },
        { code: 'invalid_prefix', field: '/prefix', status: 422 },
      ],
      [
        { ...keyspace, name: 'keyswarm' },
        { code: 'name_taken', field: '/name', status: 409 },
      ],
      [
        { ...keyspace, allowed_scopes: ['a::b'] },
        { code: 'invalid_scope', field: '/allowed_scopes/0', status: 422 },
      ],
    ])('of a keyspace: %j', async (body, expected) => {
      expect(await refused(serverOf(), () => serverOf().post('/v1/keyspaces', body))).toEqual(expected);
    });

    test.each([
      [
        { scopes: ['orders:read', 'billing:read'] },
        { code: 'scope_not_allowed', field: '/scopes/1', status: 422 },
      ],
      [{ scopes: ['Orders'] }, { code: 'invalid_scope', field: '/scopes/0', status: 422 }],
      [{ scopes: 'orders:read' }, { code: 'invalid_field', field: '/scopes', status: 400 }],
      [{ ttl_seconds: 3601 }, { code: 'ttl_too_long', field: '/ttl_seconds', status: 422 }],
      [{ ttl_seconds: 0 }, { code: 'invalid_field', field: '/ttl_seconds', status: 400 }],
      [{ expires_at: '2020-01-01T00:00:00Z' }, { code: 'expiry_in_past', field: '/expires_at', status: 422 }],
      [{ expires_at: '2030-02-30T00:00:00Z' }, { code: 'invalid_field', field: '/expires_at', status: 400 }],
      [{ expires_at: 'tomorrow' }, { code: 'invalid_field', field: '/expires_at', status: 400 }],
      [
        { ttl_seconds: 60, expires_at: '2099-01-01T00:00:00Z' },
        { code: 'expiry_conflict', field: '/ttl_seconds', status: 422 },
      ],
      [
        { owner: { kind: 'robot', external_id: 'x' } },
        { code: 'invalid_field', field: '/owner/kind', status: 400 },
      ],
      [{ metadata: { a: 1 } }, { code: 'invalid_field', field: '/metadata/a', status: 400 }],
      [{ name: 'a\nb' }, { code: 'invalid_field', field: '/name', status: 400 }],
      [{ name: 'a\u0000' }, { code: 'invalid_field', field: '/name', status: 400 }],
      [{ metadata: { a: '\ud800' } }, { code: 'invalid_field', field: '/metadata/a', status: 400 }],
      [{ keyspace: 'nowhere' }, { code: 'not_found', field: '/keyspace', status: 404 }],
    ])('of a key: %j', async (more, expected) => {
      const { name } = await makeKeyspace(serverOf(), { max_ttl_seconds: 3600, default_ttl_seconds: 600 });
      expect(await refused(serverOf(), () => serverOf().post('/v1/keys', terms(name, more)))).toEqual(
        expected,
      );
    });

    test('is told in words what it wants, with an example where there is one', async () => {
      const expectedOf = async (asked: Promise<{ readonly body: object }>) =>
        (await asked).body as { readonly expected?: string };
      const { name } = await makeKeyspace(serverOf());
      const post = (more: object) => expectedOf(serverOf().post('/v1/keys', terms(name, more)));
      const get = (query: string) => expectedOf(serverOf().get(`/v1/keys?${query}`));
      expect(await get('limit=abc')).toMatchObject({ expected: 'a whole number from 1 to 200' });
      expect(await get('owner=service:http')).toMatchObject({
        expected: 'an id such as own_01h455vb4pex5vsknk084sn02q',
      });
      expect(await post({ expires_at: 'tomorrow' })).toMatchObject({
        expected: 'a time as in RFC 3339, such as 2030-01-31T12:00:00Z',
      });
      expect(await post({ scopes: 'orders:read' })).toMatchObject({
        expected: 'a list of scopes, such as ["orders:read"]',
      });
      const object = 'an object such as {"kind": "service", "external_id": "billing"}';
      expect(await post({ owner: 'service:a' })).toMatchObject({ expected: object });
      expect(await post({ owner: undefined })).toMatchObject({ code: 'missing_field', expected: object });
      expect(await post({ scope: 'orders:read' })).toMatchObject({
        code: 'unknown_field',
        expected: expect.stringMatching(/^one of keyspace, owner, .*; did you mean scopes\?$/),
      });
    });

    test('that holds a key string is refused: it would be kept in the clear', async () => {
      const { name } = await makeKeyspace(serverOf());
      const { secret } = await issue(serverOf(), name);
      const reply = await serverOf().post('/v1/keys', terms(name, { metadata: { note: `it is ${secret}` } }));
      expect(reply.body).toMatchObject({ code: 'invalid_field', field: '/metadata/note' });
      expect(reply.text).not.toContain(secret);
    });

    test('of a query is judged as text and by name', async () => {
      const get = (path: string) => refused(serverOf(), () => serverOf().get(path));
      expect(await get('/v1/keys?limit=201')).toEqual({ code: 'invalid_field', field: 'limit', status: 400 });
      expect(await get('/v1/keys?limit=1&limit=2')).toEqual({
        code: 'invalid_field',
        field: 'limit',
        status: 400,
      });
      expect(await get('/v1/keys?colour=1')).toEqual({ code: 'unknown_field', field: 'colour', status: 400 });
      expect(await get('/v1/keys?cursor=AWkA')).toEqual({
        code: 'invalid_field',
        field: 'cursor',
        status: 400,
      });
      expect(await get('/v1/events?after=AWUBAQA')).toEqual({
        code: 'invalid_field',
        field: 'after',
        status: 400,
      });
    });

    test('of a path or a header', async () => {
      const { id } = await issue(serverOf(), (await makeKeyspace(serverOf())).name);
      const send = (path: string, headers: Record<string, string> = {}) =>
        refused(serverOf(), () => serverOf().post(path, {}, { headers }));
      expect(await send('/v1/keys/key_1/revoke')).toEqual({
        code: 'invalid_field',
        field: 'id',
        status: 400,
      });
      expect(await send(`/v1/keys/${id}/revoke`, { 'idempotency-key': 'a b' })).toEqual({
        code: 'invalid_field',
        field: 'Idempotency-Key',
        status: 400,
      });
      expect(await send(`/v1/keys/${id}/revoke`, { 'idempotency-key': 'x'.repeat(256) })).toMatchObject({
        field: 'Idempotency-Key',
      });
    });
  });
}
