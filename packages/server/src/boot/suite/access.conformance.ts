import { expect, test } from 'vitest';
import {
  freshName,
  issue,
  makeKeyspace,
  makeWorkspace,
  manager,
  problemOf,
  terms,
  verdictOf,
  verify,
  withoutRequestId,
} from './fixtures.ts';
import type { TestServer } from './test-server.ts';

/** Who may do what, and what the others learn of it. */
export function describeAccess(serverOf: () => TestServer): void {
  const anonymous = withoutRequestId;

  test('without a valid management key there is one answer, whatever is wrong with it', async () => {
    const server = serverOf();
    const { id, secret } = await issue(server, 'keyswarm', { scopes: ['keys:read'] });
    const ordinary = await issue(server, (await makeKeyspace(server)).name);
    await server.post(`/v1/keys/${id}/revoke`);
    const answers = new Set<string>();
    for (const key of [
      null,
      'x',
      secret,
      ordinary.secret,
      `keyswarm_${'a'.repeat(27)}1000000`,
      'x'.repeat(5000),
    ]) {
      const reply = await server.get('/v1/keys', { key });
      expect(problemOf(reply)).toEqual({ code: 'unauthenticated', field: 'Authorization', status: 401 });
      expect(reply.headers.get('www-authenticate')).toContain('Bearer');
      answers.add(anonymous(reply));
    }
    expect(answers.size).toBe(1);
    const basic = await server.get('/v1/keys', {
      key: null,
      headers: { authorization: `Basic ${server.rootKey}` },
    });
    expect(basic.status).toBe(401);
  });

  test('a management key does what its scopes say and nothing else', async () => {
    const server = serverOf();
    const { name } = await makeKeyspace(server);
    const { id } = await issue(server, name);
    const key = await manager(server, ['keys:read', 'keys:issue']);
    expect((await server.get(`/v1/keys/${id}`, { key })).status).toBe(200);
    expect((await server.post('/v1/keys', terms(name), { key })).status).toBe(201);
    for (const path of [
      `/v1/keys/${id}/revoke`,
      `/v1/keys/${id}/rotate`,
      `/v1/keys/${id}/suspend`,
      '/v1/keyspaces',
    ]) {
      const body = path === '/v1/keyspaces' ? { name: 'n', prefix: 'n', allowed_scopes: [] } : {};
      expect(problemOf(await server.post(path, body, { key })), path).toMatchObject({
        code: 'forbidden',
        status: 403,
      });
    }
    expect((await verify(server, { key: 'x' }, { key })).body).toMatchObject({
      code: 'forbidden',
    });
  });

  test('a scope for one keyspace shows nothing of the others', async () => {
    const server = serverOf();
    const [mine, other] = [await makeKeyspace(server), await makeKeyspace(server)];
    const inMine = await issue(server, mine.name);
    const inOther = await issue(server, other.name);
    const key = await manager(server, [
      `keys:read:${mine.name}`,
      `keys:issue:${mine.name}`,
      `keys:verify:${mine.name}`,
    ]);
    expect((await server.get(`/v1/keys/${inMine.id}`, { key })).status).toBe(200);
    const hidden = await server.get(`/v1/keys/${inOther.id}`, { key });
    const missing = await server.get('/v1/keys/key_01h455vb4pex5vsknk084sn02q', { key });
    expect(hidden.status).toBe(404);
    expect(anonymous(hidden)).toBe(anonymous(missing));
    const toHidden = await server.post('/v1/keys', terms(other.name), { key });
    // As far from the name that this key may know as the hidden one is: what is near is told by the name alone.
    const nowhere = other.name.replace(/.$/, 'z');
    const toMissing = await server.post('/v1/keys', terms(nowhere), { key });
    expect(toHidden.status).toBe(404);
    expect(anonymous(toHidden).replaceAll(other.name, nowhere)).toBe(anonymous(toMissing));
    expect(toMissing.body.detail).toBe(`There is no keyspace "${nowhere}" here.`);
    expect(toMissing.body.expected).toContain(mine.name);
    expect(toMissing.body.expected).not.toContain(other.name);
    expect(problemOf(await server.post(`/v1/keys/${inMine.id}/revoke`, {}, { key }))).toMatchObject({
      status: 403,
    });
    expect((await server.get('/v1/keys', { key })).body).toMatchObject({
      code: 'forbidden',
      field: 'keyspace',
    });
    const listed = await server.get(`/v1/keys?keyspace=${mine.name}`, { key });
    expect((listed.body.items as object[]).length).toBe(1);
    const asked = (body: object) => verify(server, body, { key });
    expect((await asked({ key: inMine.secret, keyspace: mine.name })).body).toMatchObject({ code: 'valid' });
    expect((await asked({ key: inMine.secret, keyspace: mine.id })).body).toMatchObject({ code: 'valid' });
    expect((await asked({ key: inOther.secret, keyspace: mine.name })).body).toMatchObject({
      code: 'wrong_keyspace',
    });
    expect((await asked({ key: inOther.secret, keyspace: other.name })).status).toBe(404);
    expect((await asked({ key: inOther.secret, keyspace: other.id })).status).toBe(404);
    expect((await asked({ key: inMine.secret })).body).toMatchObject({
      code: 'forbidden',
      field: '/keyspace',
    });
  });

  test('a mistyped keyspace is named, with what it may have been meant as for who may list them', async () => {
    const server = serverOf();
    const { name } = await makeKeyspace(server);
    const mistyped = name.replace('orders', 'odrers');
    for (const reply of [
      await server.post('/v1/keys', terms(mistyped)),
      await server.get(`/v1/keys?keyspace=${mistyped}`),
      await server.get(`/v1/keyspaces/${mistyped}`),
      await server.post(`/v1/keyspaces/${mistyped}/revoke-keys`, {}),
      await server.post('/v1/campaigns', { kind: 'rotate', selector: { keyspace: mistyped } }),
    ]) {
      expect(problemOf(reply)).toMatchObject({ code: 'not_found' });
      expect(reply.body.detail).toBe(`There is no keyspace "${mistyped}" here.`);
      expect(reply.body.expected).toContain(name);
    }
    const key = await manager(server, ['keys:issue']);
    const blind = await server.post('/v1/keys', terms(mistyped), { key });
    expect(blind.body.detail).toContain(mistyped);
    expect(blind.text).not.toContain(name);
  });

  test('a key of another workspace is not there, to the byte', async () => {
    const server = serverOf();
    const tenant = await makeWorkspace(server);
    const { name } = await makeKeyspace(server, {}, { key: tenant });
    const foreign = await issue(server, name, {}, { key: tenant });
    const missing = { key: 'key_01h455vb4pex5vsknk084sn02q', owner: 'own_01h455vb4pex5vsknk084sn02q' };
    const before = await server.changes();
    for (const verb of ['revoke', 'rotate', 'suspend', 'resume', 'finish-rotation']) {
      const reply = await server.post(`/v1/keys/${foreign.id}/${verb}`);
      expect(problemOf(reply)).toMatchObject({ code: 'not_found', status: 404 });
      expect(anonymous(reply)).toBe(anonymous(await server.post(`/v1/keys/${missing.key}/${verb}`)));
    }
    for (const verb of ['suspend', 'resume', 'revoke-keys']) {
      const reply = await server.post(`/v1/owners/${foreign.owner}/${verb}`);
      expect(reply.status).toBe(404);
      expect(anonymous(reply)).toBe(anonymous(await server.post(`/v1/owners/${missing.owner}/${verb}`)));
    }
    const read = await server.get(`/v1/keys/${foreign.id}`);
    expect(anonymous(read)).toBe(anonymous(await server.get(`/v1/keys/${missing.key}`)));
    expect((await server.call('PATCH', `/v1/keys/${foreign.id}`, { body: { name: 'x' } })).status).toBe(404);
    expect((await server.get(`/v1/keyspaces/${name}`)).status).toBe(404);
    expect(await verdictOf(server, foreign.secret)).toBe('unknown');
    expect(await server.changes()).toBe(before);
    expect((await server.get('/v1/events?limit=200', { key: tenant })).text).not.toContain(server.rootKey);
  });

  test('workspaces are made from the default one only', async () => {
    const server = serverOf();
    const tenant = await makeWorkspace(server);
    const reply = await server.post('/v1/workspaces', { name: freshName('tenant') }, { key: tenant });
    expect(problemOf(reply)).toMatchObject({ code: 'forbidden', status: 403 });
    const name = freshName('tenant');
    expect((await server.post('/v1/workspaces', { name })).status).toBe(201);
    expect(problemOf(await server.post('/v1/workspaces', { name }))).toEqual({
      code: 'name_taken',
      field: '/name',
      status: 409,
    });
    expect(problemOf(await server.post('/v1/workspaces', { name: 'default' }))).toMatchObject({
      code: 'name_taken',
    });
  });

  test('a management key that is revoked is refused at the next request', async () => {
    const server = serverOf();
    const made = await issue(server, 'keyswarm', { scopes: ['keyspaces:read'] });
    expect((await server.get('/v1/keyspaces', { key: made.secret })).status).toBe(200);
    await server.post(`/v1/keys/${made.id}/revoke`);
    expect((await server.get('/v1/keyspaces', { key: made.secret })).status).toBe(401);
  });
}
