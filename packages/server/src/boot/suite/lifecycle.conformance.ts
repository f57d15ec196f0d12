import { describe, expect, test } from 'vitest';
import { freshName, issue, makeKeyspace, problemOf, terms, verdictOf } from './fixtures.ts';
import type { TestServer } from './test-server.ts';

/** A key's life over the wire, each step seen by the next verification. */
export function describeLifecycle(serverOf: () => TestServer): void {
  describe('a key', () => {
    test('is issued once with its secret, verifies at once, and never shows the secret again', async () => {
      const server = serverOf();
      const { name } = await makeKeyspace(server);
      const { id, secret } = await issue(server, name, {
        name: 'prod',
        ttl_seconds: 3600,
        metadata: { team: 'a' },
      });
      const verdict = await server.post('/v1/keys/verify', {
        key: secret,
        keyspace: name,
        scopes: ['orders:read'],
      });
      expect(verdict.body).toMatchObject({
        valid: true,
        code: 'valid',
        key_id: id,
        version: 1,
        keyspace: name,
      });
      const shown = await server.get(`/v1/keys/${id}`);
      expect(shown.body).toMatchObject({
        id,
        name: 'prod',
        state: 'active',
        metadata: { team: 'a' },
        revision: 1,
      });
      expect(shown.text).not.toContain(secret);
    });

    test('is refused for a scope it lacks, in another keyspace, and for any change to its string', async () => {
      const server = serverOf();
      const { name } = await makeKeyspace(server);
      const other = await makeKeyspace(server);
      const { secret } = await issue(server, name);
      expect(await verdictOf(server, secret, { scopes: ['orders:write'] })).toBe('insufficient_scope');
      expect(await verdictOf(server, secret, { keyspace: other.name })).toBe('wrong_keyspace');
      expect(await verdictOf(server, secret.slice(0, -1))).toBe('malformed');
      expect(
        await verdictOf(
          server,
          secret.replace(/.$/, (last) => (last === '0' ? '1' : '0')),
        ),
      ).toBe('malformed');
    });

    test('rotates with both versions valid in grace, and retires the old one when forced', async () => {
      const server = serverOf();
      const { name } = await makeKeyspace(server);
      const { id, secret: old } = await issue(server, name);
      const rotated = await server.post(`/v1/keys/${id}/rotate`, { grace_seconds: 600 });
      expect(rotated.body).toMatchObject({ id, version: 2, previous: { version: 1 } });
      const renewed = String(rotated.body.secret);
      expect(await verdictOf(server, renewed)).toBe('valid');
      const graced = await server.post('/v1/keys/verify', { key: old });
      expect(graced.body).toMatchObject({ valid: true, version: 1, rotation: { state: 'grace' } });
      const inUse = await server.post(`/v1/keys/${id}/finish-rotation`, {});
      expect(inUse.status).toBe(409);
      expect(inUse.body).toMatchObject({ code: 'version_in_use', version: 1 });
      expect(inUse.body.last_used_at).toEqual(expect.any(String));
      const finished = await server.post(`/v1/keys/${id}/finish-rotation`, { force: true });
      expect(finished.body).toMatchObject({ id, version: 2, retired: { version: 1 } });
      expect(await verdictOf(server, old)).toBe('expired');
      expect(await verdictOf(server, renewed)).toBe('valid');
    });

    test('is revoked for good, and says from when on everywhere', async () => {
      const server = serverOf();
      const { name } = await makeKeyspace(server, { lease_seconds: 10 });
      const { id, secret } = await issue(server, name);
      const revoked = await server.post(`/v1/keys/${id}/revoke`, { reason: 'leaked' });
      expect(revoked.body).toMatchObject({ id, state: 'revoked' });
      const { revoked_at, effective_by } = revoked.body as { revoked_at: string; effective_by: string };
      const windowMs = Date.parse(effective_by) - Date.parse(revoked_at);
      expect(windowMs).toBeGreaterThanOrEqual(10_100);
      expect(windowMs).toBeLessThan(20_000);
      expect(await verdictOf(server, secret)).toBe('revoked');
      expect((await server.get(`/v1/keys/${id}`)).body).toMatchObject({
        state: 'revoked',
        revoke_reason: 'leaked',
      });
    });

    test('is suspended and resumed', async () => {
      const server = serverOf();
      const { name } = await makeKeyspace(server);
      const { id, secret } = await issue(server, name);
      expect((await server.post(`/v1/keys/${id}/suspend`)).body).toMatchObject({ state: 'suspended' });
      expect(await verdictOf(server, secret)).toBe('suspended');
      expect((await server.post(`/v1/keys/${id}/resume`)).body).toMatchObject({ state: 'active' });
      expect(await verdictOf(server, secret)).toBe('valid');
    });

    test('is updated, of the revision that was seen', async () => {
      const server = serverOf();
      const { name } = await makeKeyspace(server);
      const { id, secret } = await issue(server, name);
      const patch = { scopes: ['orders:write'], name: 'new', if_revision: 1 };
      expect((await server.call('PATCH', `/v1/keys/${id}`, { body: patch })).body).toMatchObject({
        revision: 2,
        name: 'new',
      });
      expect(await verdictOf(server, secret, { scopes: ['orders:write'] })).toBe('valid');
      const stale = await server.call('PATCH', `/v1/keys/${id}`, { body: patch });
      expect(stale.body).toMatchObject({
        code: 'revision_mismatch',
        field: '/if_revision',
        status: 412,
        revision: 2,
      });
    });

    test('expires by the clock', async () => {
      const server = serverOf();
      const { name } = await makeKeyspace(server);
      const soon = new Date(Date.now() + 300).toISOString();
      const { id, secret } = await issue(server, name, { expires_at: soon });
      await expect.poll(() => verdictOf(server, secret), { interval: 50 }).toBe('expired');
      expect((await server.get(`/v1/keys/${id}`)).body).toMatchObject({ state: 'expired' });
      expect((await server.post(`/v1/keys/${id}/rotate`)).body).toMatchObject({
        code: 'key_expired',
        status: 409,
      });
    });
  });

  test('an owner that is suspended takes all its keys with it by one event, and brings them back', async () => {
    const server = serverOf();
    const { name } = await makeKeyspace(server);
    const owner = { kind: 'integration', external_id: freshName('shop') };
    const keys = [await issue(server, name, { owner }), await issue(server, name, { owner })];
    const ownerId = keys[0]?.owner;
    const before = await server.changes();
    const suspended = await server.post(`/v1/owners/${ownerId}/suspend`);
    expect(suspended.body).toMatchObject({ id: ownerId, state: 'suspended' });
    expect(await server.changes()).toBe(before + 1);
    for (const { secret } of keys) expect(await verdictOf(server, secret)).toBe('suspended');
    await server.post(`/v1/owners/${ownerId}/resume`);
    for (const { secret } of keys) expect(await verdictOf(server, secret)).toBe('valid');
    await server.post(`/v1/owners/${ownerId}/revoke-keys`);
    for (const { secret } of keys) expect(await verdictOf(server, secret)).toBe('revoked');
    const ended = keys[0]?.id ?? '';
    // Not a state of its own that some of us know and others don't: shown, listed and decided on as revoked.
    expect((await server.get(`/v1/keys/${ended}`)).body).toMatchObject({ id: ended, state: 'revoked' });
    const listed = await server.get(`/v1/keys?owner=${ownerId}&state=revoked`);
    expect(listed.body.items).toHaveLength(keys.length);
    expect((await server.get(`/v1/keys?owner=${ownerId}&state=active`)).body.items).toEqual([]);
    for (const verb of ['rotate', 'suspend', 'finish-rotation']) {
      const reply = await server.post(`/v1/keys/${ended}/${verb}`, {});
      expect(problemOf(reply)).toMatchObject({ code: 'key_revoked', status: 409 });
    }
    expect(problemOf(await server.post(`/v1/keys/${ended}/revoke`, {}))).toMatchObject({
      code: 'already_revoked',
    });
    const later = await issue(server, name, { owner });
    expect(await verdictOf(server, later.secret)).toBe('valid');
  });

  test('a keyspace whose keys are revoked refuses all it has, shows them so, and goes on with new ones', async () => {
    const server = serverOf();
    const { id, name } = await makeKeyspace(server);
    const other = await issue(server, (await makeKeyspace(server)).name);
    const keys = [await issue(server, name), await issue(server, name)];
    const before = await server.changes();
    const revoked = await server.post(`/v1/keyspaces/${name}/revoke-keys`);
    expect(revoked.status, revoked.text).toBe(200);
    expect(await server.changes()).toBe(before + 2);
    const { keys_not_before } = (await server.get(`/v1/keyspaces/${id}`)).body;
    expect(revoked.body).toMatchObject({ id, keys_not_before });
    for (const { id: ended, secret } of keys) {
      expect(await verdictOf(server, secret)).toBe('revoked');
      expect((await server.get(`/v1/keys/${ended}`)).body).toMatchObject({ id: ended, state: 'revoked' });
      expect(problemOf(await server.post(`/v1/keys/${ended}/rotate`, {}))).toMatchObject({
        code: 'key_revoked',
      });
    }
    expect((await server.get(`/v1/keys?keyspace=${name}&state=revoked`)).body.items).toHaveLength(2);
    expect((await server.get(`/v1/keys?keyspace=${name}&state=active`)).body.items).toEqual([]);
    expect(await verdictOf(server, (await issue(server, name)).secret)).toBe('valid');
    expect(await verdictOf(server, other.secret)).toBe('valid');
    expect(problemOf(await server.post('/v1/keyspaces/keyswarm/revoke-keys'))).toEqual({
      code: 'builtin_protected',
      field: 'id',
      status: 409,
    });
  });

  test('a keyspace that is suspended refuses all its keys, and its policy can change', async () => {
    const server = serverOf();
    const { id, name } = await makeKeyspace(server);
    const { secret } = await issue(server, name);
    await server.post(`/v1/keyspaces/${name}/suspend`);
    expect(await verdictOf(server, secret)).toBe('suspended');
    await server.post(`/v1/keyspaces/${id}/resume`);
    expect(await verdictOf(server, secret)).toBe('valid');
    const patched = await server.call('PATCH', `/v1/keyspaces/${name}`, { body: { max_ttl_seconds: 60 } });
    expect(patched.body).toMatchObject({ id, max_ttl_seconds: 60, revision: 4 });
    expect((await server.post('/v1/keys', terms(name, { ttl_seconds: 61 }))).body).toMatchObject({
      code: 'ttl_too_long',
    });
  });
}
