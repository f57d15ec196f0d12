import { createHash } from 'node:crypto';
import { shardOfHash } from '@keyswarm/core';
import { describe, expect, test } from 'vitest';
import { webhooksPerWorkspaceMax } from '../../limits.ts';
import { approvalDesk } from './approval-desk.ts';
import { freshName, issue, makeKeyspace, makeWorkspace, problemOf, terms } from './fixtures.ts';
import type { Reply, RequestOptions, TestServer } from './test-server.ts';
import { makeTokenKeyspace } from './token-fixtures.ts';

/** A retry has the first reply and no effect, whatever has changed since: what is there, who may what, what is full. */
export function describeReplays(serverOf: () => TestServer): void {
  const desk = approvalDesk(serverOf);

  /** Sends it, lets things change, sends it again: both replies, which are one, and nothing but `change` has an effect. */
  const twice = async (
    path: string,
    body: object,
    change: () => Promise<Reply>,
    options: RequestOptions = {},
  ): Promise<Reply> => {
    const headers = { 'idempotency-key': freshName('replay') };
    const first = await serverOf().post(path, body, { ...options, headers });
    const changed = await change();
    expect(changed.status, changed.text).toBeLessThan(300);
    const before = await serverOf().changes();
    const again = await serverOf().post(path, body, { ...options, headers });
    expect(again.text).toBe(first.text);
    expect(again.status).toBe(first.status);
    expect(await serverOf().changes()).toBe(before);
    return first;
  };
  const rescope = (id: string, scopes: readonly string[]) =>
    serverOf().call('PATCH', `/v1/keys/${id}`, { body: { scopes } });
  const codesOf = ({ body }: Reply) =>
    (body.results as { id?: string; state?: string; error?: { code: string } }[]).map(
      ({ state, error }) => error?.code ?? state,
    );

  describe('an import that is sent again', () => {
    /** Hashes of which all but the last would stand in one shard, whether there are 4 of them or 16. */
    const hashes = (): readonly [Buffer, Buffer, Buffer] => {
      const shardOf = (hash: Buffer) => shardOfHash(hash, 16);
      const found: Buffer[] = [];
      while (found.length < 3) {
        const hash = createHash('sha256').update(freshName('old')).digest();
        const isNear = shardOf(hash) === shardOf(found[0] ?? hash);
        const isFar = shardOf(hash) % 4 !== shardOf(found[0] ?? hash) % 4;
        if (found.length < 2 ? isNear : isFar) found.push(hash);
      }
      return found as [Buffer, Buffer, Buffer];
    };
    const item = (keyspace: string, hash: Buffer) =>
      terms(keyspace, { hash: { format: 'sha256-hex', value: hash.toString('hex') } });

    test('refuses what it refused, though the keyspace is there by now', async () => {
      const { name } = await makeKeyspace(serverOf());
      const later = freshName('later');
      const [one, beside, elsewhere] = hashes();
      const keys = [item(later, one), item(name, beside), item(later, elsewhere)];
      const makeLater = () =>
        serverOf().post('/v1/keyspaces', { name: later, prefix: 'later', allowed_scopes: ['orders:*'] });
      const reply = await twice('/v1/keys/import', { keys }, makeLater);
      expect(codesOf(reply)).toEqual(['not_found', undefined, 'not_found']);
      expect((await serverOf().get(`/v1/keys?keyspace=${later}`)).body.items).toEqual([]);
    });

    test('tells of each item what became of that one, though the caller may import fewer of them by now', async () => {
      const [a, b] = [await makeKeyspace(serverOf()), await makeKeyspace(serverOf())];
      const [one, beside, elsewhere] = hashes();
      const keys = [item(a.name, one), item(b.name, beside), item(a.name, elsewhere)];
      const scopes = [`keys:import:${a.name}`, `keys:import:${b.name}`];
      const importer = await issue(serverOf(), 'keyswarm', { scopes });
      const narrow = () => rescope(importer.id, scopes.slice(1));
      const reply = await twice('/v1/keys/import', { keys }, narrow, { key: importer.secret });
      const ids = (reply.body.results as { id: string }[]).map(({ id }) => id);
      const keyspaces = ids.map(
        async (id) => (await serverOf().get(`/v1/keys/${id}`)).body.keyspace_id as string,
      );
      expect(await Promise.all(keyspaces)).toEqual([a.id, b.id, a.id]);
    });
  });

  describe('a decision that is sent again', () => {
    // More keyspaces than shards, so that some of their requests stand in one shard; or fewer, and they do not.
    test('approves nothing that it refused, though the decider may decide there by now', async () => {
      const keyspaces = await Promise.all(Array.from({ length: 6 }, () => desk.ruled()));
      const ids: string[] = [];
      for (const { name } of keyspaces) ids.push(await desk.request(name));
      const [scope = '', ...others] = keyspaces.map(({ name }) => `approvals:decide:${name}`);
      const decider = await issue(serverOf(), 'keyswarm', { scopes: [scope] });
      const widen = () => rescope(decider.id, [scope, ...others]);
      const body = { decision: 'approve', ids };
      const reply = await twice('/v1/approvals/decide', body, widen, { key: decider.secret });
      expect(codesOf(reply)).toEqual(['approved', ...others.map(() => 'not_found')]);
      expect(await Promise.all(ids.map(desk.stateOf))).toEqual(['approved', ...others.map(() => 'pending')]);
    });

    test('names all that it approved, though the decider may decide on fewer of them by now', async () => {
      const [a, b] = [await desk.ruled(), await desk.ruled()];
      const ids = [await desk.request(a.name), await desk.request(b.name), await desk.request(a.name)];
      const scopes = [`approvals:decide:${a.name}`, `approvals:decide:${b.name}`];
      const decider = await issue(serverOf(), 'keyswarm', { scopes });
      const narrow = () => rescope(decider.id, scopes.slice(1));
      const body = { decision: 'approve', ids };
      const reply = await twice('/v1/approvals/decide', body, narrow, { key: decider.secret });
      expect(reply.body.results).toEqual(ids.map((id) => ({ id, state: 'approved' })));
    });
  });

  describe('what is refused by how things stand is not refused to a retry', () => {
    test('the last webhook of a workspace, whose secret would be lost', async () => {
      const key = await makeWorkspace(serverOf());
      const body = { url: 'https://hooks.example.com/last' };
      const create = () => serverOf().post('/v1/webhooks', body, { key });
      await Promise.all(Array.from({ length: webhooksPerWorkspaceMax - 1 }, create));
      const refusedOne = async () => {
        expect(problemOf(await create())).toEqual({ code: 'invalid_field', field: '/url', status: 400 });
        return await serverOf().get('/v1/webhooks', { key });
      };
      const made = await twice('/v1/webhooks', body, refusedOne, { key });
      expect(made.body.secret).toMatch(/^whsec_/);
    });

    test('an enrollment key, whose keyspace allows less time by now', async () => {
      const { id, name } = await makeKeyspace(serverOf(), { max_ttl_seconds: 600 });
      const body = { keyspace: name, uses: 1, owner_rule: { kinds: ['service'] }, scopes: ['orders:*'] };
      const lives = { ttl_seconds: 60, key_ttl_seconds: 600 };
      const shorten = () =>
        serverOf().call('PATCH', `/v1/keyspaces/${id}`, { body: { max_ttl_seconds: 60 } });
      const made = await twice('/v1/enrollments', { ...body, ...lives }, shorten);
      expect(made.status, made.text).toBe(201);
      const late = await serverOf().post('/v1/enrollments', { ...body, ...lives });
      expect(problemOf(late)).toEqual({ code: 'ttl_too_long', field: '/key_ttl_seconds', status: 422 });
    });

    test('a token, whose keyspace sets no time to live by now', async () => {
      const { id, name } = await makeTokenKeyspace(serverOf());
      const unset = () =>
        serverOf().call('PATCH', `/v1/keyspaces/${id}`, { body: { default_ttl_seconds: null } });
      const issued = await twice('/v1/keys', terms(name), unset);
      expect(issued.status, issued.text).toBe(201);
      expect(problemOf(await serverOf().post('/v1/keys', terms(name)))).toMatchObject({
        code: 'missing_field',
        field: '/ttl_seconds',
      });
    });

    test('the resuming of an owner, who holds a stronger management key by now', async () => {
      const named = { kind: 'service', external_id: freshName('rising') };
      const owner = await serverOf().post('/v1/owners', named);
      const weak = await issue(serverOf(), 'keyswarm', { scopes: ['owners:write'] });
      const path = `/v1/owners/${owner.body.id}/resume`;
      await serverOf().post(`/v1/owners/${owner.body.id}/suspend`);
      const strengthen = () =>
        serverOf().post('/v1/keys', { keyspace: 'keyswarm', owner: named, scopes: ['keys:*'] });
      expect((await twice(path, {}, strengthen, { key: weak.secret })).status).toBe(200);
      expect(problemOf(await serverOf().post(path, {}, { key: weak.secret }))).toMatchObject({
        code: 'scope_escalation',
      });
    });
  });
}
