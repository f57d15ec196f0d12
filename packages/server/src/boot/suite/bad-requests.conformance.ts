import { describe, expect, test } from 'vitest';
import { issue, makeKeyspace, problemOf, refused, terms } from './fixtures.ts';
import { RawConnection } from './raw-request.ts';
import type { TestServer } from './test-server.ts';

/** What is wrong with a request itself: its body, its path, the step it asks for. Each has its code and changes nothing. */
export function describeBadRequests(serverOf: () => TestServer): void {
  describe('a body', () => {
    test.each([
      ['{"name":', { code: 'invalid_json', status: 400 }],
      ['', { code: 'missing_field', field: '/name', status: 400 }],
      ['[]', { code: 'invalid_field', field: '', status: 400 }],
      ['null', { code: 'invalid_field', field: '', status: 400 }],
      ['{"__proto__":{"a":1}}', { code: 'unknown_field', field: '/__proto__', status: 400 }],
      [
        '{"constructor":{"prototype":{"a":1}}}',
        { code: 'unknown_field', field: '/constructor', status: 400 },
      ],
      [`{"name":${'['.repeat(5000)}`, { code: 'invalid_json', status: 400 }],
      ['\ufeff{}', { code: 'invalid_json', status: 400 }],
      ['{"\\u005f_proto__":{"a":1}}', { code: 'unknown_field', field: '/__proto__', status: 400 }],
    ])('that is %j', async (body, expected) => {
      const options = { body, headers: { 'content-type': 'application/json' } };
      expect(await refused(serverOf(), () => serverOf().call('POST', '/v1/keyspaces', options))).toEqual(
        expected,
      );
    });

    test('that is not UTF-8, not JSON by its type, compressed, or too large', async () => {
      const post = (body: unknown, headers: Record<string, string> = {}) =>
        refused(serverOf(), () => serverOf().call('POST', '/v1/keyspaces', { body, headers }));
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

  describe('a step that the lifecycle does not allow', () => {
    test('a third version, unless the old one is cut', async () => {
      const { id } = await issue(serverOf(), (await makeKeyspace(serverOf())).name);
      await serverOf().post(`/v1/keys/${id}/rotate`);
      expect(await refused(serverOf(), () => serverOf().post(`/v1/keys/${id}/rotate`))).toEqual({
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
      const step = (verb: string) => refused(serverOf(), () => serverOf().post(`/v1/keys/${id}/${verb}`));
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
      expect(
        await refused(serverOf(), () => serverOf().post(`/v1/keys/${id}/rotate`, { grace_seconds: 61 })),
      ).toEqual({
        code: 'grace_too_long',
        field: '/grace_seconds',
        status: 422,
      });
      expect(
        await refused(serverOf(), () => serverOf().post('/v1/keyspaces/keyswarm/suspend')),
      ).toMatchObject({
        code: 'builtin_protected',
      });
      expect(
        await refused(serverOf(), () =>
          serverOf().post('/v1/keyspaces', { name, prefix: 'x', allowed_scopes: [] }),
        ),
      ).toEqual({
        code: 'name_taken',
        field: '/name',
        status: 409,
      });
    });
  });

  describe('a path', () => {
    test('that is not there, or does not take the method', async () => {
      expect(await refused(serverOf(), () => serverOf().post('/v1/nothing', '{', { key: null }))).toEqual({
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

    test('that is too long to be anything is not there, and is not logged', async () => {
      // An imported key may look like anything.
      const long = `legacy-${'s3cret'.repeat(40)}`;
      const reply = await serverOf().get(`/v1/keys/${long}`, { key: null });
      expect(problemOf(reply)).toEqual({ code: 'not_found', status: 404 });
      expect(serverOf().log()).not.toContain('s3crets3cret');
    });
  });

  describe('a connection', () => {
    const ask = 'GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n';
    const answers = (text: string) => text.split('HTTP/1.1 200 OK').length - 1;

    test('that asks several things before it is answered is answered in order', async () => {
      const connection = await RawConnection.open(serverOf().url);
      connection.socket.write(`${ask.repeat(9)}${ask.replace('healthz', 'nothing')}`);
      await connection.until('HTTP/1.1 404');
      expect(answers(connection.received)).toBe(9);
      connection.socket.destroy();
    });

    test('that asks more at once than anybody waits for is ended, and the rest is not begun', async () => {
      const connection = await RawConnection.open(serverOf().url);
      connection.socket.write(ask.repeat(1_500));
      await connection.ended();
      expect(answers(connection.received)).toBeLessThan(100);
    });
  });
}
