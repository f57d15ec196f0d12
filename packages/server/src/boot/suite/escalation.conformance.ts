import { describe, expect, test } from 'vitest';
import { issue, manager, problemOf, terms, verify } from './fixtures.ts';
import type { TestServer } from './test-server.ts';

/** Narrow management keys, and the ways by which one might widen itself. */
export function describeEscalation(serverOf: () => TestServer): void {
  describe('no management key can make itself more than it is', () => {
    const scopes = [
      'keys:issue:keyswarm',
      'keys:update:keyswarm',
      'keys:rotate:keyswarm',
      'keys:suspend:keyswarm',
      'keys:import:keyswarm',
    ];

    test('by issuing or importing a stronger one', async () => {
      const server = serverOf();
      const key = await manager(server, scopes);
      for (const wanted of [['*'], ['keys:*'], ['keys:issue'], ['workspaces:write']]) {
        const reply = await server.post('/v1/keys', terms('keyswarm', { scopes: wanted }), { key });
        expect(problemOf(reply)).toEqual({ code: 'scope_escalation', field: '/scopes', status: 403 });
      }
      const hash = { format: 'sha256-hex', value: 'ab'.repeat(32) };
      const imported = await server.post(
        '/v1/keys/import',
        { keys: [terms('keyswarm', { scopes: ['*'], hash })] },
        { key },
      );
      expect(imported.body).toMatchObject({ results: [{ error: { code: 'scope_escalation' } }] });
      expect(
        (await server.post('/v1/keys', terms('keyswarm', { scopes: [scopes[0]] }), { key })).status,
      ).toBe(201);
    });

    test('by changing, rotating or resuming a stronger one', async () => {
      const server = serverOf();
      const key = await manager(server, scopes);
      const strong = await issue(server, 'keyswarm', { scopes: ['keys:*'] });
      const weak = await issue(server, 'keyswarm', { scopes: ['keys:issue:keyswarm'] });
      const before = await server.changes();
      const codes = [
        await server.call('PATCH', `/v1/keys/${weak.id}`, { key, body: { scopes: ['*'] } }),
        await server.call('PATCH', `/v1/keys/${strong.id}`, {
          key,
          body: { scopes: ['keys:issue:keyswarm'] },
        }),
        await server.post(`/v1/keys/${strong.id}/rotate`, {}, { key }),
      ].map((reply) => reply.body.code);
      expect(codes).toEqual(['scope_escalation', 'scope_escalation', 'scope_escalation']);
      expect(await server.changes()).toBe(before);
      await server.post(`/v1/keys/${strong.id}/suspend`, {}, { key });
      expect((await server.post(`/v1/keys/${strong.id}/resume`, {}, { key })).body).toMatchObject({
        code: 'scope_escalation',
      });
    });

    test('and a bare scope leaves the built-in keyspace out', async () => {
      const server = serverOf();
      const key = await manager(server, ['keys:issue', 'keys:read', 'keys:verify', 'keyspaces:write']);
      expect(
        (await server.post('/v1/keys', terms('keyswarm', { scopes: ['keys:issue'] }), { key })).status,
      ).toBe(403);
      const strong = await issue(server, 'keyswarm', { scopes: ['keys:*'] });
      expect((await server.get(`/v1/keys/${strong.id}`, { key })).status).toBe(403);
      const listed = (await server.get('/v1/keys?limit=200', { key })).body.items as {
        keyspace_id: string;
      }[];
      const builtin = (await server.get('/v1/keyspaces/keyswarm')).body.id;
      expect(listed.filter((item) => item.keyspace_id === builtin)).toEqual([]);
      expect((await verify(server, { key: strong.secret }, { key })).body).toMatchObject({
        code: 'unknown',
      });
      const patch = { key, body: { lease_seconds: 600 } };
      expect((await server.call('PATCH', '/v1/keyspaces/keyswarm', patch)).status).toBe(403);
    });
  });
}
