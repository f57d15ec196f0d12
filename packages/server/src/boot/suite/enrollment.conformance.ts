import { describe, expect, test } from 'vitest';
import { freshName, issue, makeKeyspace, manager, problemOf, refused, verdictOf } from './fixtures.ts';
import type { Reply, TestServer } from './test-server.ts';

const rule = { kinds: ['service'], external_id_prefix: 'node-' };

export async function enrollment(server: TestServer, keyspace: string, more: object = {}): Promise<Reply> {
  const body = { keyspace, uses: 3, owner_rule: rule, scopes: ['orders:*'], ...more };
  return server.post('/v1/enrollments', body);
}

/** Enrollment keys: made, exchanged, used up, ended. */
export function describeEnrollment(serverOf: () => TestServer): void {
  const owner = () => ({ kind: 'service', external_id: freshName('node') });
  const enroll = (key: string, body: object = {}, headers: Record<string, string> = {}) =>
    serverOf().post('/v1/keys/enroll', body, { key, headers });
  const made = async (keyspace: string, more: object = {}) => {
    const reply = await enrollment(serverOf(), keyspace, more);
    expect(reply.status, reply.text).toBe(201);
    return { id: String(reply.body.id), secret: String(reply.body.secret), body: reply.body };
  };

  describe('an enrollment key', () => {
    test('is exchanged for lasting keys, as often as it may be and not once more', async () => {
      const server = serverOf();
      const { name } = await makeKeyspace(server);
      const key = await made(name, { metadata: { fleet: 'eu' }, claims: ['host'], key_ttl_seconds: 600 });
      expect(key.body).toMatchObject({ uses: 3, cascade: false, version: 1 });
      for (let left = 2; left >= 0; left -= 1) {
        const reply = await enroll(key.secret, { owner: owner(), claims: { host: `h${left}` } });
        expect(reply.status, reply.text).toBe(201);
        expect(await verdictOf(server, String(reply.body.secret), { scopes: ['orders:write'] })).toBe(
          'valid',
        );
        const shown = (await server.get(`/v1/keys/${reply.body.id}`)).body;
        expect(shown).toMatchObject({ metadata: { fleet: 'eu', host: `h${left}` }, enrolled_with: key.id });
        const parent = (await server.get(`/v1/keys/${key.id}`)).body;
        expect(parent).toMatchObject({ enrollment: { uses: 3, uses_left: left, cascade: false } });
      }
      expect(await refused(server, () => enroll(key.secret, { owner: owner() }))).toEqual({
        code: 'enrollment_used_up',
        status: 409,
      });
    });

    test('opens nothing: no access point accepts it, and it can neither be shown to its holder nor renewed', async () => {
      const server = serverOf();
      const { name } = await makeKeyspace(server);
      const { secret: key } = await made(name);
      expect(await verdictOf(server, key)).toBe('insufficient_scope');
      expect((await server.get('/v1/keys/self', { key })).status).toBe(403);
      expect((await server.post('/v1/keys/self/renew', {}, { key })).status).toBe(403);
      expect((await server.get('/v1/keys', { key })).status).toBe(401);
    });

    test('gives the same secret for the same Idempotency-Key, for one use, also when it is used up', async () => {
      const server = serverOf();
      const { name } = await makeKeyspace(server);
      const { secret } = await made(name, { uses: 1 });
      const headers = { 'idempotency-key': freshName('boot') };
      const body = { owner: owner() };
      const first = await enroll(secret, body, headers);
      expect(first.status, first.text).toBe(201);
      expect((await enroll(secret, body, headers)).text).toBe(first.text);
      expect(problemOf(await enroll(secret, { owner: owner() }, headers))).toMatchObject({
        code: 'idempotency_mismatch',
      });
      expect(problemOf(await enroll(secret, body))).toMatchObject({ code: 'enrollment_used_up' });
    });

    test('that is revoked makes no more, and takes what it made with it or leaves it, as was chosen', async () => {
      const server = serverOf();
      const { name } = await makeKeyspace(server);
      for (const [cascade, code] of [
        [true, 'revoked'],
        [false, 'valid'],
      ] as const) {
        const key = await made(name, { cascade });
        const child = String((await enroll(key.secret, { owner: owner() })).body.secret);
        expect(await verdictOf(server, child)).toBe('valid');
        expect((await server.post(`/v1/keys/${key.id}/revoke`, {})).status).toBe(200);
        expect(await verdictOf(server, child)).toBe(code);
        expect((await enroll(key.secret, { owner: owner() })).status).toBe(401);
        expect((await server.get('/v1/keys/self', { key: child })).status).toBe(cascade ? 401 : 200);
      }
    });

    test('that leaked is ended by whoever has it', async () => {
      const server = serverOf();
      const { secret: key } = await made((await makeKeyspace(server)).name);
      expect((await server.post('/v1/keys/self/revoke', {}, { key })).status).toBe(200);
      expect((await enroll(key, { owner: owner() })).status).toBe(401);
    });

    test('is bound to its owner, if it has one', async () => {
      const server = serverOf();
      const { name } = await makeKeyspace(server);
      const mine = owner();
      const key = await made(name, { owner: mine, owner_rule: undefined });
      for (const body of [{}, { owner: mine }]) {
        const reply = await enroll(key.secret, body);
        expect(reply.status, reply.text).toBe(201);
        expect(reply.body.owner_id).toBe(key.body.owner_id);
      }
      expect(await refused(server, () => enroll(key.secret, { owner: owner() }))).toEqual({
        code: 'owner_not_allowed',
        field: '/owner',
        status: 422,
      });
    });
  });

  describe('an exchange is refused, and takes no use,', () => {
    test.each([
      ['without an owner', {}, 'missing_field /owner'],
      [
        'for another kind of owner',
        { owner: { kind: 'user', external_id: 'node-1' } },
        'owner_not_allowed /owner/kind',
      ],
      [
        'for an owner of another name',
        { owner: { kind: 'service', external_id: 'db-1' } },
        'owner_not_allowed /owner/external_id',
      ],
      [
        'for the bare prefix',
        { owner: { kind: 'service', external_id: 'node-' } },
        'owner_not_allowed /owner/external_id',
      ],
      [
        'for a wider scope',
        { owner: { kind: 'service', external_id: 'node-1' }, scopes: ['orders:read', '*'] },
        'scope_not_allowed /scopes/1',
      ],
      [
        'for a claim that is not allowed',
        { owner: { kind: 'service', external_id: 'node-1' }, claims: { role: 'x' } },
        'invalid_field /claims/role',
      ],
      ['for a field that is not known', { ttl_seconds: 1 }, 'unknown_field /ttl_seconds'],
    ])('%s', async (_, body, expected) => {
      const server = serverOf();
      const key = await made((await makeKeyspace(server)).name, { scopes: ['orders:read'] });
      const before = await server.changes();
      const { code, field } = (await enroll(key.secret, body)).body;
      expect(`${code} ${field}`).toBe(expected);
      expect(await server.changes()).toBe(before);
      expect((await server.get(`/v1/keys/${key.id}`)).body).toMatchObject({ enrollment: { uses_left: 3 } });
    });

    test('of a key that is none for exchanging', async () => {
      const server = serverOf();
      const { secret } = await issue(server, (await makeKeyspace(server)).name);
      for (const key of [secret, server.rootKey]) {
        expect(problemOf(await enroll(key))).toMatchObject({ code: 'not_an_enrollment_key', status: 403 });
      }
    });
  });

  describe('an enrollment key is not made', () => {
    test.each([
      ['for no use', { uses: 0 }, 'invalid_field /uses'],
      ['for more than a million', { uses: 1_000_001 }, 'invalid_field /uses'],
      ['without an owner or a rule', { owner_rule: undefined }, 'missing_field /owner'],
      ['with both', { owner: { kind: 'service', external_id: 'a' } }, 'invalid_field /owner'],
      ['for no kind of owner', { owner_rule: { kinds: [] } }, 'invalid_field /owner_rule/kinds'],
      ['for a scope outside of the keyspace', { scopes: ['billing:read'] }, 'scope_not_allowed /scopes/0'],
      ['for keys that live too long', { key_ttl_seconds: 7200 }, 'ttl_too_long /key_ttl_seconds'],
      ['for management keys', { keyspace: 'keyswarm', scopes: [] }, 'builtin_protected /keyspace'],
    ])('%s', async (_, more, expected) => {
      const server = serverOf();
      const { name } = await makeKeyspace(server, { max_ttl_seconds: 3600, default_ttl_seconds: 600 });
      const { code, field } = (await enrollment(server, name, more)).body;
      expect(`${code} ${field}`).toBe(expected);
    });

    test('for a scope that needs an approval, and no longer exchanged once the keyspace asks for one', async () => {
      const server = serverOf();
      const { id, name } = await makeKeyspace(server);
      const key = await made(name);
      const body = { approval: { scopes: ['orders:*'] } };
      expect((await server.call('PATCH', `/v1/keyspaces/${id}`, { body })).status).toBe(200);
      expect(problemOf(await enrollment(server, name))).toMatchObject({ code: 'approval_required' });
      const exchange = () => enroll(key.secret, { owner: owner() });
      expect(await refused(server, exchange)).toMatchObject({ code: 'approval_required' });
    });

    test('by a manager that may not issue there', async () => {
      const server = serverOf();
      const { name } = await makeKeyspace(server);
      const key = await manager(server, ['keys:issue:elsewhere', 'keys:read']);
      const body = { keyspace: name, uses: 1, owner_rule: rule, scopes: [] };
      expect((await server.post('/v1/enrollments', body, { key })).status).toBe(403);
    });
  });

  test('many exchanges at once make exactly as many keys as the enrollment key has uses', async () => {
    const server = serverOf();
    const { name } = await makeKeyspace(server);
    const uses = 100;
    const key = await made(name, { uses });
    const replies = await Promise.all(
      Array.from({ length: 4 * uses }, () => enroll(key.secret, { owner: owner() })),
    );
    const done = replies.filter(({ status }) => status === 201);
    expect(done).toHaveLength(uses);
    expect(new Set(done.map(({ body }) => body.secret)).size).toBe(uses);
    for (const reply of replies.filter(({ status }) => status !== 201)) {
      expect(problemOf(reply)).toEqual({ code: 'enrollment_used_up', status: 409 });
    }
    const listed = (await server.get(`/v1/keys?parent=${key.id}&limit=200`)).body.items as object[];
    expect(listed).toHaveLength(uses);
  });
}
