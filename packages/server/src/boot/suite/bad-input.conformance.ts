import { describe, expect, test } from 'vitest';
import { issue, makeKeyspace, problemOf, terms, verdictOf, verify } from './fixtures.ts';
import { RawConnection } from './raw-request.ts';
import type { Reply, TestServer } from './test-server.ts';

/** Whatever is sent wrong has a code of its own, names the field, and changes nothing. */
export function describeBadInput(serverOf: () => TestServer): void {
  const refused = async (send: () => Promise<Reply>): Promise<object> => {
    const before = await serverOf().changes();
    const reply = await send();
    expect(await serverOf().changes(), 'a refused request changes nothing').toBe(before);
    return problemOf(reply);
  };

  describe('a body', () => {
    test.each([
      ['{"name":', { code: 'invalid_json', status: 400 }],
      ['', { code: 'missing_field', field: '/name', status: 400 }],
      ['[]', { code: 'invalid_field', field: '', status: 400 }],
      ['null', { code: 'invalid_field', field: '', status: 400 }],
      ['{"__proto__":{"a":1}}', { code: 'invalid_json', status: 400 }],
      ['{"constructor":{"prototype":{"a":1}}}', { code: 'invalid_json', status: 400 }],
      ['\ufeff{}', { code: 'invalid_json', status: 400 }],
      ['{"\\u005f_proto__":{"a":1}}', { code: 'invalid_json', status: 400 }],
    ])('that is %j', async (body, expected) => {
      const options = { body, headers: { 'content-type': 'application/json' } };
      expect(await refused(() => serverOf().call('POST', '/v1/keyspaces', options))).toEqual(expected);
    });

    test('that is not UTF-8, not JSON by its type, compressed, or too large', async () => {
      const post = (body: unknown, headers: Record<string, string> = {}) =>
        refused(() => serverOf().call('POST', '/v1/keyspaces', { body, headers }));
      expect(await post(Uint8Array.of(0x22, 0xff, 0x22))).toEqual({ code: 'invalid_json', status: 400 });
      expect(await post('name=x', { 'content-type': 'application/x-www-form-urlencoded' })).toEqual({
        code: 'unsupported_media_type',
        field: 'Content-Type',
        status: 415,
      });
      expect(await post('{}', { 'content-encoding': 'gzip' })).toMatchObject({
        code: 'unsupported_media_type',
      });
      expect(await post(`"${'x'.repeat(70_000)}"`)).toEqual({ code: 'payload_too_large', status: 413 });
    });

    test('with a member twice counts the last one, everywhere', async () => {
      const { name } = await makeKeyspace(serverOf());
      const body = JSON.stringify(terms(name)).replace('{', '{"scopes":["orders:write"],');
      const reply = await serverOf().call('POST', '/v1/keys', { body });
      expect(reply.body).toMatchObject({ scopes: ['orders:read'] });
    });
  });

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
      expect(await refused(() => serverOf().post('/v1/keyspaces', body))).toEqual(expected);
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
      expect(await refused(() => serverOf().post('/v1/keys', terms(name, more)))).toEqual(expected);
    });

    test('that holds a key string is refused: it would be kept in the clear', async () => {
      const { name } = await makeKeyspace(serverOf());
      const { secret } = await issue(serverOf(), name);
      const reply = await serverOf().post('/v1/keys', terms(name, { metadata: { note: `it is ${secret}` } }));
      expect(reply.body).toMatchObject({ code: 'invalid_field', field: '/metadata/note' });
      expect(reply.text).not.toContain(secret);
    });

    test('of a query is judged as text and by name', async () => {
      const get = (path: string) => refused(() => serverOf().get(path));
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
        refused(() => serverOf().post(path, {}, { headers }));
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

  describe('a step that the lifecycle does not allow', () => {
    test('a third version, unless the old one is cut', async () => {
      const { id } = await issue(serverOf(), (await makeKeyspace(serverOf())).name);
      await serverOf().post(`/v1/keys/${id}/rotate`);
      expect(await refused(() => serverOf().post(`/v1/keys/${id}/rotate`))).toEqual({
        code: 'rotation_in_progress',
        field: '/cut',
        status: 409,
      });
      expect((await serverOf().post(`/v1/keys/${id}/rotate`, { cut: true })).body).toMatchObject({
        version: 3,
      });
    });

    test('revoking the revoked, rotating it, resuming what is not suspended', async () => {
      const { id } = await issue(serverOf(), (await makeKeyspace(serverOf())).name);
      const step = (verb: string) => refused(() => serverOf().post(`/v1/keys/${id}/${verb}`));
      expect(await step('resume')).toEqual({ code: 'not_suspended', field: 'id', status: 409 });
      expect(await step('finish-rotation')).toEqual({ code: 'not_rotating', field: 'id', status: 409 });
      await serverOf().post(`/v1/keys/${id}/revoke`);
      expect(await step('revoke')).toEqual({ code: 'already_revoked', field: 'id', status: 409 });
      expect(await step('rotate')).toEqual({ code: 'key_revoked', field: 'id', status: 409 });
      expect(await step('suspend')).toEqual({ code: 'key_revoked', field: 'id', status: 409 });
    });

    test('a grace over the maximum, and anything to the built-in keyspace that would lock everyone out', async () => {
      const { name } = await makeKeyspace(serverOf(), { max_grace_seconds: 60 });
      const { id } = await issue(serverOf(), name);
      expect(await refused(() => serverOf().post(`/v1/keys/${id}/rotate`, { grace_seconds: 61 }))).toEqual({
        code: 'grace_too_long',
        field: '/grace_seconds',
        status: 422,
      });
      expect(await refused(() => serverOf().post('/v1/keyspaces/keyswarm/suspend'))).toMatchObject({
        code: 'builtin_protected',
      });
      expect(
        await refused(() => serverOf().post('/v1/keyspaces', { name, prefix: 'x', allowed_scopes: [] })),
      ).toEqual({
        code: 'name_taken',
        field: '/name',
        status: 409,
      });
    });
  });

  describe('a path', () => {
    test('that is not there, or does not take the method', async () => {
      expect(await refused(() => serverOf().post('/v1/nothing', '{', { key: null }))).toEqual({
        code: 'not_found',
        status: 404,
      });
      const reply = await serverOf().call('DELETE', '/v1/keys/key_1', { key: null });
      expect(problemOf(reply)).toEqual({ code: 'method_not_allowed', status: 405 });
      expect(reply.headers.get('allow')).toBe('GET, HEAD, PATCH');
      expect(problemOf(await serverOf().get('/v1/keys/bulk'))).toMatchObject({ status: 405 });
      expect(problemOf(await serverOf().get('/%ff'))).toMatchObject({ code: 'not_found' });
    });

    test('in which a key string stands is refused wherever it stands, and is not logged', async () => {
      const { secret } = await issue(serverOf(), (await makeKeyspace(serverOf())).name);
      const hidden = secret.replace('_', '%5F');
      for (const path of [
        `/v1/keys/${secret}`,
        `/v1/keys?cursor=${secret}`,
        `/nothing/${hidden}`,
        `/?key=${secret}%ff`,
      ]) {
        const reply = await serverOf().get(path);
        expect(problemOf(reply), path).toEqual({ code: 'secret_in_url', status: 400 });
        expect(reply.text).not.toContain(secret);
      }
      expect(serverOf().log()).not.toContain(secret);
    });
  });

  describe('verification answers with a verdict whatever it is given', () => {
    test.each([
      ['nothing', ''],
      ['blanks', '   '],
      ['random bytes', '\u0001\u00ff\ud83d\ude00\u0000'],
      ['half a surrogate', '\ud800'],
      ['a megabyte', 'x'.repeat(1_000_000)],
      ['a shape without a checksum', `orders_${'a'.repeat(27)}1000000`],
      ['a prototype', '__proto__'],
    ])('%s', async (_, key) => {
      expect(await verdictOf(serverOf(), key)).toBe('malformed');
    });

    test.each([
      [{}, { code: 'missing_field', field: '/key', status: 400 }],
      [{ key: 1 }, { code: 'invalid_field', field: '/key', status: 400 }],
      [
        { key: 'x', colour: 1 },
        { code: 'unknown_field', field: '/colour', status: 400 },
      ],
      [
        { key: 'x', scopes: 'a' },
        { code: 'invalid_field', field: '/scopes', status: 400 },
      ],
      ['{"key":"x"', { code: 'invalid_json', status: 400 }],
      ['{"key":"x","__proto__":{}}', { code: 'invalid_json', status: 400 }],
      ['null', { code: 'invalid_field', field: '', status: 400 }],
      [Uint8Array.of(0x22, 0xff, 0x22), { code: 'invalid_json', status: 400 }],
    ])('unless the request itself is wrong: %j', async (body, expected) => {
      expect(problemOf(await verify(serverOf(), body))).toEqual(expected);
    });

    test('in pieces as well as whole, and not at all without a key', async () => {
      const connection = await RawConnection.open(serverOf().url);
      const body = '{"key":"x"}';
      await connection.hold('/v1/keys/verify', serverOf().rootKey, body.length);
      for (const piece of body) connection.socket.write(piece);
      await connection.until('"code":"malformed"');
      connection.socket.destroy();
      expect(problemOf(await verify(serverOf(), { key: 'x' }, { key: null }))).toMatchObject({ status: 401 });
    });

    test('in bulk too, in order, one beside the other', async () => {
      const { secret } = await issue(serverOf(), (await makeKeyspace(serverOf())).name);
      const keys = [{ key: secret }, { key: 'x' }, { key: secret, scopes: ['orders:write'] }];
      const { results } = (await serverOf().post('/v1/keys/verify/bulk', { keys })).body;
      expect((results as { code: string }[]).map(({ code }) => code)).toEqual([
        'valid',
        'malformed',
        'insufficient_scope',
      ]);
    });
  });
}
