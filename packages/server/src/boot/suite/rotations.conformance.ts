import { describe, expect, test } from 'vitest';
import { issue, makeKeyspace, makeWorkspace, manager, verdictOf } from './fixtures.ts';
import type { RequestOptions, TestServer } from './test-server.ts';

/* A rotation ends on evidence, and is the same whoever asks for it how often. */

interface Rotating {
  readonly id: string;
  readonly keyspaceId: string;
  readonly keyspace: string;
  readonly old: string;
  readonly renewed: string;
}

async function makeRotating(server: TestServer, options: RequestOptions = {}): Promise<Rotating> {
  const { id: keyspaceId, name } = await makeKeyspace(server, {}, options);
  const { id, secret: old } = await issue(server, name, {}, options);
  const rotated = await server.post(`/v1/keys/${id}/rotate`, { grace_seconds: 600 }, options);
  expect(rotated.status, rotated.text).toBe(200);
  return { id, keyspaceId, keyspace: name, old, renewed: String(rotated.body.secret) };
}

const finish = async (server: TestServer, id: string, body: object = {}, options: RequestOptions = {}) => {
  const reply = await server.post(`/v1/keys/${id}/finish-rotation`, body, options);
  return reply.status === 200 ? { status: 200 } : { status: reply.status, ...reply.body };
};

/** As a verifier elsewhere tells it with its ask for the lease. */
async function tellUses(server: TestServer, key: string, uses: readonly object[]): Promise<unknown> {
  const verifier = { id: 'elsewhere', name: 'elsewhere', kind: 'library' };
  const ask = { verifier, applied: null, lease_age_ms: null, uses };
  const reply = await server.post('/v1/feed/lease', ask, { key });
  expect(reply.status, reply.text).toBe(200);
  return reply.body.uses_taken;
}

export function describeRotations(serverOf: () => TestServer): void {
  describe('a rotation', () => {
    test('is finished unforced once the new version was used and the old one was not', async () => {
      const server = serverOf();
      const { id, renewed, old } = await makeRotating(server);
      expect(await verdictOf(server, renewed)).toBe('valid');
      expect(await finish(server, id)).toEqual({ status: 200 });
      expect(await verdictOf(server, old)).toBe('expired');
      expect(await verdictOf(server, renewed)).toBe('valid');
    });

    test('whose new secret was never deployed can not lose its old one but by force', async () => {
      const server = serverOf();
      const { id, old } = await makeRotating(server);
      const expected = { status: 409, code: 'new_version_unused', field: '/force', version: 2 };
      expect(await finish(server, id)).toMatchObject(expected);
      expect(await verdictOf(server, old), 'the holder still has a key that works').toBe('valid');
      expect(await finish(server, id, { force: true })).toEqual({ status: 200 });
      expect(await verdictOf(server, old)).toBe('expired');
    });

    test('asked for again with the same Idempotency-Key gives the very same secret, and makes no third version', async () => {
      const server = serverOf();
      const { name } = await makeKeyspace(server, { prefix: 'orders_live' });
      const { id } = await issue(server, name);
      const headers = { 'idempotency-key': `rotate-${id}` };
      const [first, ...again] = await Promise.all(
        Array.from({ length: 3 }, () => server.post(`/v1/keys/${id}/rotate`, {}, { headers })),
      );
      // Two that meet while the first is under way are told to come back.
      const last = await server.post(`/v1/keys/${id}/rotate`, {}, { headers });
      const replies = [first, ...again, last].filter((reply) => reply?.status === 200);
      expect(new Set(replies.map((reply) => reply?.body.secret)).size).toBe(1);
      expect(last.body).toMatchObject({ version: 2, previous: { version: 1 } });
      expect(String(last.body.secret)).toMatch(/^orders_live_/);
    });

    test('hears of uses from verifiers elsewhere, whether of the old version or of the new one', async () => {
      const server = serverOf();
      const key = await makeWorkspace(server);
      const { id, keyspaceId } = await makeRotating(server, { key });
      const use = (version: number, atMs: number) => ({
        key_id: id,
        keyspace_id: keyspaceId,
        version,
        at_ms: atMs,
      });
      const nowMs = Date.now();
      expect(await tellUses(server, key, [use(2, nowMs)])).toBe(true);
      expect(await tellUses(server, key, [use(1, nowMs)])).toBe(true);
      const refused = await finish(server, id, {}, { key });
      expect(refused).toMatchObject({ code: 'version_in_use', version: 1 });
      const { last_used_at: lastUsedAt } = refused as { last_used_at?: string };
      expect(Math.abs(Date.parse(String(lastUsedAt)) - nowMs)).toBeLessThan(60_000);
    });

    test('is finished after as long a silence of the old version as its keyspace asks for', async () => {
      const server = serverOf();
      const key = await makeWorkspace(server);
      const { id, keyspace, keyspaceId } = await makeRotating(server, { key });
      await server.age(id);
      const use = (version: number, at_ms: number) => ({
        key_id: id,
        keyspace_id: keyspaceId,
        version,
        at_ms,
      });
      await tellUses(server, key, [use(2, Date.now()), use(1, Date.now() - 90_000)]);
      expect(await finish(server, id, {}, { key })).toMatchObject({ code: 'version_in_use' });
      const rotation = { in_use_window_seconds: 60 };
      const path = `/v1/keyspaces/${keyspace}`;
      const changed = await server.call('PATCH', path, { body: { rotation }, key });
      expect(changed.body.rotation, changed.text).toMatchObject(rotation);
      const shown = (await server.get(`/v1/keys/${id}/rotation`, { key })).body;
      expect(shown.finish).toMatchObject({ admitted: true });
      expect(await finish(server, id, {}, { key })).toEqual({ status: 200 });
    });

    test('takes nobody at his word for keys that he may not read, that are not there, or for another time', async () => {
      const server = serverOf();
      const key = await makeWorkspace(server);
      const stranger = await makeWorkspace(server);
      const { id, keyspaceId } = await makeRotating(server, { key });
      const other = await makeKeyspace(server, {}, { key });
      const narrow = await manager(server, [`feed:read:${other.name}`], { key });
      const use = { key_id: id, keyspace_id: keyspaceId, version: 2, at_ms: Date.now() };
      await tellUses(server, stranger, [use]);
      await tellUses(server, narrow, [use]);
      await tellUses(server, narrow, [{ ...use, keyspace_id: other.id }]);
      await tellUses(server, key, [{ ...use, version: 3 }]);
      await tellUses(server, key, [{ ...use, key_id: `key_${'0'.repeat(26)}` }]);
      expect(await finish(server, id, {}, { key })).toMatchObject({ code: 'new_version_unused' });
      await tellUses(server, key, [{ ...use, at_ms: 0 }]);
      await tellUses(server, key, [{ ...use, version: 1, at_ms: Date.now() + 3_600_000_000 }]);
      const refused = await finish(server, id, {}, { key });
      expect(refused).toMatchObject({ code: 'version_in_use' });
      const { last_used_at: lastUsedAt } = refused as { last_used_at?: string };
      expect(Date.parse(String(lastUsedAt)), 'no use is later than now').toBeLessThan(Date.now() + 60_000);
    });

    test('is shown as it stands: before it, while two versions work, and after', async () => {
      const server = serverOf();
      const { name } = await makeKeyspace(server);
      const { id, secret: old } = await issue(server, name);
      const shown = async (query = '') => (await server.get(`/v1/keys/${id}/rotation${query}`)).body;
      expect(await shown()).toMatchObject({
        id,
        state: 'none',
        version: 1,
        previous_version: null,
        asked_at: null,
        is_unproven: false,
        finish: { admitted: false, code: 'not_rotating' },
        lineage: { items: [{ version: 1, state: 'active' }], next_before: null },
      });
      const { body: rotated } = await server.post(`/v1/keys/${id}/rotate`, { grace_seconds: 600 });
      const { retires_at: retiresAt } = rotated.previous as { retires_at: string };
      expect(await shown()).toMatchObject({
        state: 'overlapping',
        version: 2,
        previous_version: 1,
        retires_at: retiresAt,
        first_used_at: null,
        last_used_at: null,
        is_unproven: true,
        finish: { admitted: false, code: 'new_version_unused' },
      });
      await verdictOf(server, old);
      expect(await shown()).toMatchObject({
        last_used_at: expect.any(String),
        finish: { admitted: false, code: 'version_in_use' },
      });
      await verdictOf(server, String(rotated.secret));
      expect(await shown()).toMatchObject({ first_used_at: expect.any(String), is_unproven: false });
      await server.post(`/v1/keys/${id}/finish-rotation`, { force: true });
      const after = await shown();
      expect(after).toMatchObject({ state: 'finished', finish: { code: 'not_rotating' } });
      expect(after.lineage).toMatchObject({
        items: [
          { version: 2, state: 'active', first_used_at: expect.any(String) },
          { version: 1, state: 'retired', last_used_at: expect.any(String) },
        ],
      });
      expect(JSON.stringify(after)).not.toContain(String(rotated.secret));
    });

    test('has all versions in its lineage, a page at a time, and of those that were never told of no use', async () => {
      const server = serverOf();
      const { name } = await makeKeyspace(server);
      const { id } = await issue(server, name);
      for (let version = 2; version <= 53; version += 1) {
        expect((await server.post(`/v1/keys/${id}/rotate`, { grace_seconds: 0 })).body.version).toBe(version);
      }
      const page = async (query = '') =>
        (await server.get(`/v1/keys/${id}/rotation${query}`)).body.lineage as {
          items: { version: number; state: string; first_used_at: unknown }[];
          next_before: number | null;
        };
      const first = await page();
      expect([first.items.length, first.items[0]?.version, first.next_before]).toEqual([50, 53, 4]);
      const rest = await page(`?before=${first.next_before}`);
      expect(rest.items.map(({ version }) => version)).toEqual([3, 2, 1]);
      expect(rest.items.every((one) => one.state === 'retired' && one.first_used_at === null)).toBe(true);
      expect(rest.next_before).toBeNull();
      const refused = await server.get(`/v1/keys/${id}/rotation?before=0`);
      expect(refused.body).toMatchObject({ status: 400, field: 'before' });
    });

    test('of a key that may not be known is not there', async () => {
      const server = serverOf();
      const { id } = await makeRotating(server);
      const stranger = await makeWorkspace(server);
      const reply = await server.get(`/v1/keys/${id}/rotation`, { key: stranger });
      expect([reply.status, reply.body.code]).toEqual([404, 'not_found']);
      const blind = await manager(server, ['keys:issue']);
      expect((await server.get(`/v1/keys/${id}/rotation`, { key: blind })).status).toBe(403);
    });

    test('tells how long it took in the metrics', async () => {
      const server = serverOf();
      const { id, renewed } = await makeRotating(server);
      const figure = async (name: string) => {
        const { text } = await server.get('/metrics');
        const line = text.split('\n').find((one) => one.startsWith(`${name} `)) ?? `${name} 0`;
        return Number(line.slice(name.length));
      };
      const counts = () =>
        Promise.all(
          ['first_used', 'finished'].map((stage) =>
            figure(`keyswarm_rotation_seconds_count{stage="${stage}"}`),
          ),
        );
      const [firstUsed = 0, finished = 0] = await counts();
      await verdictOf(server, renewed);
      expect(await finish(server, id)).toEqual({ status: 200 });
      expect(await counts()).toEqual([firstUsed + 1, finished + 1]);
    });
  });
}
