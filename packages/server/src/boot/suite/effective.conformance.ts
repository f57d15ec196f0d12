import { describe, expect, test } from 'vitest';
import { issue, makeKeyspace, problemOf, verdictOf } from './fixtures.ts';
import type { Reply, TestServer } from './test-server.ts';

/** `?wait=effective`: the second ack, of a change that takes a right away. */
export function describeEffective(serverOf: () => TestServer): void {
  const expectEffective = (reply: Reply): void => {
    expect(reply.status, reply.text).toBe(200);
    const { effective, effective_by } = reply.body as {
      effective: { at: string; verifiers: number; laggards: unknown[] };
      effective_by: string;
    };
    expect(effective.laggards).toEqual([]);
    expect(effective.verifiers).toBeGreaterThanOrEqual(1);
    // All know long before the bound; a clock read for it comes after the one that the bound counts from.
    expect(Date.parse(effective.at)).toBeLessThanOrEqual(Date.parse(effective_by));
  };

  describe('a change that is to be effective before it is answered', () => {
    test('says when it was, of a key, an owner and a keyspace, and again when it is replayed', async () => {
      const server = serverOf();
      const { name } = await makeKeyspace(server);
      const { id, owner, secret } = await issue(server, name);
      const paths = [
        `/v1/keys/${id}/suspend`,
        `/v1/keys/${id}/revoke`,
        `/v1/owners/${owner}/suspend`,
        `/v1/owners/${owner}/revoke-keys`,
        `/v1/keyspaces/${name}/suspend`,
        `/v1/keyspaces/${name}/revoke-keys`,
      ];
      for (const path of paths) {
        const options = { headers: { 'idempotency-key': `wait ${path}`.replaceAll(' ', '-') } };
        const first = await server.post(`${path}?wait=effective`, undefined, options);
        expectEffective(first);
        const again = await server.post(`${path}?wait=effective`, undefined, options);
        expectEffective(again);
        expect(again.body.seq).toBe(first.body.seq);
      }
      expect(await verdictOf(server, secret)).toBe('revoked');
    });

    test('does not say so unless it was asked', async () => {
      const server = serverOf();
      const { name } = await makeKeyspace(server);
      const { id } = await issue(server, name);
      expect((await server.post(`/v1/keys/${id}/revoke`)).body).not.toHaveProperty('effective');
    });

    test.each(['durable', '', 'effective&wait=effective'])('is refused with wait=%s', async (value) => {
      const server = serverOf();
      const { name } = await makeKeyspace(server);
      const { id, secret } = await issue(server, name);
      const reply = await server.post(`/v1/keys/${id}/revoke?wait=${value}`);
      expect(problemOf(reply)).toMatchObject({ status: 400, code: 'invalid_field', field: 'wait' });
      expect(await verdictOf(server, secret)).toBe('valid');
    });

    test('is not offered where nothing is taken away', async () => {
      const server = serverOf();
      const { name } = await makeKeyspace(server);
      const { id } = await issue(server, name);
      await server.post(`/v1/keys/${id}/suspend`);
      const reply = await server.post(`/v1/keys/${id}/resume?wait=effective`);
      expect(problemOf(reply)).toMatchObject({ status: 400, code: 'unknown_field', field: 'wait' });
    });
  });
}
