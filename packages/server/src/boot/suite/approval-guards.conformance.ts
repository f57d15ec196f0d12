import { createHash } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import { approvalDesk } from './approval-desk.ts';
import { freshName, issue, makeKeyspace, problemOf, terms, verdictOf } from './fixtures.ts';
import type { TestServer } from './test-server.ts';

/** Every way that might lead round a second manager. */
export function describeApprovalGuards(serverOf: () => TestServer): void {
  const desk = approvalDesk(serverOf);
  const { as, ruled, wish, request, approve, collect } = desk;

  describe('no way leads round an approval', () => {
    test('in bulk, by import, or by a key that is widened afterwards', async () => {
      const { name } = await ruled();
      const bulk = await serverOf().post(
        '/v1/keys/bulk',
        { keys: [wish(name), terms(name)] },
        as(desk.asker),
      );
      expect(bulk.body.results).toMatchObject([
        { error: { code: 'approval_required' } },
        { secret: expect.any(String) },
      ]);
      const value = createHash('sha256').update(name).digest('hex');
      const hashed = wish(name, { hash: { format: 'sha256-hex', value } });
      const imported = await serverOf().post('/v1/keys/import', { keys: [hashed] }, as(desk.asker));
      expect(imported.body.results).toMatchObject([{ error: { code: 'approval_required' } }]);
      const made = await issue(serverOf(), name, {}, as(desk.asker));
      for (const scopes of [['orders:write'], ['orders:*'], ['orders:read', 'orders:write']]) {
        const reply = await serverOf().call('PATCH', `/v1/keys/${made.id}`, {
          ...as(desk.asker),
          body: { scopes },
        });
        expect(problemOf(reply)).toMatchObject({ code: 'approval_required', status: 403 });
      }
      expect(await verdictOf(serverOf(), made.secret, { keyspace: name, scopes: ['orders:write'] })).toBe(
        'insufficient_scope',
      );
    });

    test('nor does one that was agreed to become more: a rotation keeps its terms, a longer life is refused', async () => {
      const { name } = await ruled();
      const id = await request(name, { ttl_seconds: 600 });
      await approve([id]);
      const key = (await collect(id)).body;
      const rotated = await serverOf().post(`/v1/keys/${key.id}/rotate`, {}, as(desk.asker));
      expect(rotated.body).toMatchObject({ version: 2, expires_at: key.expires_at });
      for (const body of [{ expires_at: null }, { expires_at: '2099-01-01T00:00:00Z' }]) {
        const reply = await serverOf().call('PATCH', `/v1/keys/${key.id}`, { ...as(desk.asker), body });
        expect(problemOf(reply)).toEqual({ code: 'approval_required', field: '/expires_at', status: 403 });
      }
    });

    test('nor by a renewal of its holder, which gives a new secret and no longer life', async () => {
      const { name } = await ruled();
      const id = await request(name, { ttl_seconds: 600 });
      await approve([id]);
      const key = (await collect(id)).body;
      await serverOf().openWindow(String(key.id));
      const renewed = await serverOf().post('/v1/keys/self/renew', {}, { key: String(key.secret) });
      expect(renewed.status, renewed.text).toBe(200);
      expect(renewed.body).toMatchObject({ version: 2, expires_at: key.expires_at });
    });

    test('nor by an enrollment key, neither one that is made nor one that was there before the rule', async () => {
      const { name, id } = await makeKeyspace(serverOf());
      const body = {
        keyspace: name,
        uses: 3,
        owner_rule: { kinds: ['service'], external_id_prefix: 'node-' },
      };
      const enrollment = { ...body, scopes: ['orders:*'] };
      const older = await serverOf().post('/v1/enrollments', enrollment, as(desk.asker));
      const approval = { scopes: ['orders:write'] };
      await serverOf().call('PATCH', `/v1/keyspaces/${id}`, { body: { approval } });
      const made = await serverOf().post('/v1/enrollments', enrollment, as(desk.asker));
      expect(problemOf(made)).toEqual({ code: 'approval_required', field: '/scopes', status: 403 });
      const exchange = (more: object) => {
        const owner = { kind: 'service', external_id: freshName('node') };
        const key = String(older.body.secret);
        return serverOf().post('/v1/keys/enroll', { owner, ...more }, { key });
      };
      expect(problemOf(await exchange({}))).toMatchObject({ code: 'approval_required' });
      expect(problemOf(await exchange({ scopes: ['orders:write'] }))).toMatchObject({
        code: 'approval_required',
      });
      expect((await exchange({ scopes: ['orders:read'] })).status).toBe(201);
    });

    test('nor by the secret of a decider that whoever asked has taken by rotating its key', async () => {
      const { name } = await ruled();
      const strong = await issue(serverOf(), 'keyswarm', {
        scopes: ['keys:issue', 'keys:rotate:keyswarm', 'approvals:*'],
      });
      const taken = await issue(serverOf(), 'keyswarm', { scopes: ['approvals:decide'] });
      const id = await request(name, {}, strong);
      const rotated = await serverOf().post(`/v1/keys/${taken.id}/rotate`, {}, as(strong));
      expect(rotated.status, rotated.text).toBe(200);
      const decide = (secret: string) =>
        serverOf().post('/v1/approvals/decide', { decision: 'approve', ids: [id] }, { key: secret });
      // The holder of the older secret can't be told from the taker: both are one key.
      for (const secret of [String(rotated.body.secret), taken.secret]) {
        expect((await decide(secret)).body.results).toMatchObject([{ error: { code: 'self_approval' } }]);
      }
      // Once nobody but its holder has a secret of it, it decides again.
      const renewed = await serverOf().post(`/v1/keys/${taken.id}/rotate`, { cut: true }, as(desk.decider));
      expect(problemOf(renewed)).toMatchObject({ status: 403 });
      for (let turn = 0; turn < 3; turn += 1) {
        await serverOf().post(`/v1/keys/${taken.id}/rotate`, { cut: true, grace_seconds: 0 });
      }
      const last = await serverOf().post(`/v1/keys/${taken.id}/rotate`, { cut: true, grace_seconds: 0 });
      expect((await decide(String(last.body.secret))).body.results).toMatchObject([{ state: 'approved' }]);
    });

    test('nor for managers themselves, where their keyspace wants it', async () => {
      const tenant = await serverOf().post('/v1/workspaces', { name: freshName('tenant') });
      const { secret } = tenant.body.management_key as { secret: string };
      const root = { key: secret };
      const body = { approval: { scopes: ['approvals:decide'] } };
      expect((await serverOf().call('PATCH', '/v1/keyspaces/keyswarm', { ...root, body })).status).toBe(200);
      for (const scopes of [['approvals:decide'], ['approvals:*'], ['*']]) {
        const reply = await serverOf().post('/v1/keys', terms('keyswarm', { scopes }), root);
        expect(problemOf(reply)).toMatchObject({ code: 'approval_required' });
      }
    });
  });
}
