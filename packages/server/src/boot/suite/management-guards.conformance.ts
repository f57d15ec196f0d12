import { hash } from 'node:crypto';
import { parseId, shardOfId } from '@keyswarm/core';
import { describe, expect, test } from 'vitest';
import {
  type Issued,
  issue,
  makeKeyspace,
  makeWorkspace,
  manager,
  problemOf,
  refused,
  terms,
  verdictOf,
  verify,
} from './fixtures.ts';
import type { RequestOptions, TestServer } from './test-server.ts';

/** Of the two stores the suite runs on: apart by this number is apart by any multiple of it. */
const fewestShards = 4;

/** Ways round the checks that a management key has of its own: by its hash, by its owner, by an error message. */
export function describeManagementGuards(serverOf: () => TestServer): void {
  describe('a management key', () => {
    test('is not there to a bare keys:verify, in whatever state and whatever is asked of it', async () => {
      const server = serverOf();
      const builtin = String((await server.get('/v1/keyspaces/keyswarm')).body.id);
      const bare = await manager(server, ['keys:verify']);
      const named = await manager(server, ['keys:verify', 'keys:verify:keyswarm']);
      const keys = await Promise.all(
        ['active', 'suspended', 'revoked'].map(() => issue(server, 'keyswarm', { scopes: ['owners:read'] })),
      );
      await server.post(`/v1/keys/${keys[1]?.id}/suspend`);
      await server.post(`/v1/keys/${keys[2]?.id}/revoke`);
      const expired = await issue(server, 'keyswarm', { scopes: ['owners:read'] });
      const { body } = await server.post(`/v1/keys/${expired.id}/rotate`, { grace_seconds: 0 });
      expect(body.version).toBe(2);
      const seen = { active: 'valid', suspended: 'suspended', revoked: 'revoked', expired: 'expired' };
      for (const [at, code] of Object.values(seen).entries()) {
        const { secret } = keys[at] ?? expired;
        const more = [{}, { keyspace: builtin }, { scopes: ['owners:write'] }];
        for (const required of more) {
          const hidden = await verify(server, { key: secret, ...required }, { key: bare });
          expect(hidden.body, `${code} ${JSON.stringify(required)}`).toEqual({
            valid: false,
            code: 'unknown',
          });
        }
        // Else the codes would be hidden from nobody, or there would be nothing to hide.
        const shown = await verify(server, { key: secret, keyspace: 'keyswarm' }, { key: named });
        expect(shown.body).toMatchObject({ code });
      }
    });

    test('hides no other key from it', async () => {
      const server = serverOf();
      const bare = await manager(server, ['keys:verify']);
      const { name } = await makeKeyspace(server);
      const { id, secret } = await issue(server, name);
      const asked = async (more: object) =>
        (await verify(server, { key: secret, ...more }, { key: bare })).body.code;
      expect(await asked({})).toBe('valid');
      expect(await asked({ scopes: ['orders:write'] })).toBe('insufficient_scope');
      await server.post(`/v1/keys/${id}/suspend`);
      expect(await asked({})).toBe('suspended');
      await server.post(`/v1/keys/${id}/revoke`);
      expect(await asked({})).toBe('revoked');
    });
  });

  describe('a hash that belongs to a key already', () => {
    test('is not imported as a management key, by nobody and under no name of the keyspace', async () => {
      const server = serverOf();
      const tenant = await makeWorkspace(server);
      const foreign = await issue(server, 'keyswarm', { scopes: ['keys:read'] }, { key: tenant });
      const builtin = String((await server.get('/v1/keyspaces/keyswarm')).body.id);
      const before = await server.changes();
      for (const keyspace of ['keyswarm', builtin]) {
        const keys = [terms(keyspace, { scopes: ['keys:read'], hash: hashOf(foreign.secret) })];
        expect(await importErrors(server, keys)).toEqual(['builtin_protected /keyspace']);
      }
      expect(await server.changes()).toBe(before);
      // Ended in its own workspace, the string opens none.
      await server.post(`/v1/keys/${foreign.id}/revoke`, {}, { key: tenant });
      expect((await server.get('/v1/keys', { key: foreign.secret })).status).toBe(401);
    });

    test('is not imported into the workspace of that key, whatever state it is in', async () => {
      const server = serverOf();
      const [one, other] = [await makeKeyspace(server), await makeKeyspace(server)];
      const manages = await issue(server, 'keyswarm', { scopes: ['keys:read'] });
      const live = await issue(server, one.name);
      const revoked = await issue(server, one.name);
      await server.post(`/v1/keys/${revoked.id}/revoke`);
      const rotated = await issue(server, one.name);
      await server.post(`/v1/keys/${rotated.id}/rotate`, {});
      const before = await server.changes();
      const keys = [live, revoked, rotated, manages].flatMap(({ secret }) =>
        [one, other].map(({ name }) => terms(name, { hash: hashOf(secret) })),
      );
      expect(await importErrors(server, keys)).toEqual(keys.map(() => 'already_imported /hash'));
      expect(await server.changes()).toBe(before);
      expect(await verdictOf(server, revoked.secret)).toBe('revoked');
    });

    test('may be imported into another workspace, when the key stands in another shard than its hash', async () => {
      const server = serverOf();
      const { secret } = await issueApart(server, (await makeKeyspace(server)).name);
      const key = await makeWorkspace(server);
      const { name } = await makeKeyspace(server, {}, { key });
      const keys = [terms(name, { hash: hashOf(secret) })];
      expect(await importErrors(server, keys, { key })).toEqual([undefined]);
      expect(await verdictOf(server, secret)).toBe('valid');
    });
  });

  describe('the owner of a management key', () => {
    const verbs = ['suspend', 'resume', 'revoke-keys'];

    test('is not changed by a weaker one', async () => {
      const server = serverOf();
      const strong = await issue(server, 'keyswarm', { scopes: ['keys:*', 'owners:write'] });
      const key = await manager(server, ['owners:write']);
      const change = (verb: string, options?: RequestOptions) =>
        server.post(`/v1/owners/${strong.owner}/${verb}`, undefined, options);
      const denied = { code: 'scope_escalation', status: 403 };
      for (const verb of verbs) expect(await refused(server, () => change(verb, { key }))).toEqual(denied);
      expect((await server.get('/v1/keys', { key: strong.secret })).status).toBe(200);
      expect((await change('suspend')).status).toBe(200);
      for (const verb of verbs) expect(await refused(server, () => change(verb, { key }))).toEqual(denied);
      expect((await change('resume')).status).toBe(200);
    });

    test('is changed by one as strong, and by any once those keys have ended', async () => {
      const server = serverOf();
      const weak = await issue(server, 'keyswarm', { scopes: ['owners:write'] });
      const strong = await issue(server, 'keyswarm', {
        scopes: ['keys:read:keyswarm'],
        owner: await ownerOf(server, weak.owner),
      });
      expect(strong.owner).toBe(weak.owner);
      const key = await manager(server, ['owners:write']);
      const change = (verb: string) => server.post(`/v1/owners/${weak.owner}/${verb}`, undefined, { key });
      expect(problemOf(await change('suspend'))).toMatchObject({ code: 'scope_escalation' });
      await server.post(`/v1/keys/${strong.id}/revoke`);
      for (const verb of verbs) {
        const reply = await change(verb);
        expect(reply.status, reply.text).toBe(200);
      }
    });

    test('is like any other where none of its keys is one', async () => {
      const server = serverOf();
      const { owner } = await issue(server, (await makeKeyspace(server)).name);
      const key = await manager(server, ['owners:write']);
      for (const verb of verbs) {
        const reply = await server.post(`/v1/owners/${owner}/${verb}`, undefined, { key });
        expect(reply.status, reply.text).toBe(200);
      }
    });
  });

  describe('a key string as the name of a field', () => {
    test.each([
      ['at the top', '', (secret: string) => ({ [secret]: 1 })],
      ['inside of a longer name', '', (secret: string) => ({ [`${'x'.repeat(110)} ${secret}`]: 1 })],
      [
        'deeper down',
        '/owner',
        (secret: string) => ({ owner: { kind: 'user', external_id: 'a', [secret]: 1 } }),
      ],
      ['where names are free', '/metadata', (secret: string) => ({ metadata: { [secret]: 1 } })],
    ])('is not repeated %s', async (_where, field, more) => {
      const server = serverOf();
      const { name } = await makeKeyspace(server);
      const { secret } = await issue(server, name);
      const reply = await server.post('/v1/keys', terms(name, more(secret)));
      expect(reply.status).toBe(400);
      expect(reply.body.field ?? '').toBe(field);
      expect(reply.text).not.toContain(secret.slice(0, 20));
      expect(server.log()).not.toContain(secret.slice(0, 20));
    });
  });
}

/**
 * A key that is not in the shard of its own hash. In that shard a fingerprint is unique over all workspaces, and the
 * import would be refused: the threat model says so.
 */
async function issueApart(server: TestServer, keyspace: string): Promise<Issued> {
  for (;;) {
    const issued = await issue(server, keyspace);
    const id = parseId('key', issued.id);
    const lastByte = hash('sha256', issued.secret, 'buffer')[31] ?? 0;
    if (id !== undefined && shardOfId(id, fewestShards) !== lastByte % fewestShards) return issued;
  }
}

function hashOf(keyString: string): object {
  return { format: 'sha256-hex', value: hash('sha256', keyString) };
}

/** Code and place of each item's refusal; undefined where it was imported. */
async function importErrors(
  server: TestServer,
  keys: readonly object[],
  options?: RequestOptions,
): Promise<readonly (string | undefined)[]> {
  const reply = await server.post('/v1/keys/import', { keys }, options);
  expect(reply.status, reply.text).toBe(200);
  const results = reply.body.results as { error?: { code: string; field?: string } }[];
  return results.map(({ error }) => (error === undefined ? undefined : `${error.code} ${error.field}`));
}

async function ownerOf(server: TestServer, id: string): Promise<object> {
  const { kind, external_id } = (await server.get(`/v1/owners/${id}`)).body;
  return { kind, external_id };
}
