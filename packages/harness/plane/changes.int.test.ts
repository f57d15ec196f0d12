import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { NodeProcess } from '../bound/node-process.ts';
import { ask, codeOf, type Desk, verify } from './ask.ts';
import { type Plane, startPlane, until } from './plane.ts';

/* A change is made at the server, and every node is asked at once. */

let plane: Plane;
let nodes: NodeProcess[];
let keyspaceId: string;

beforeAll(async () => {
  plane = await startPlane();
  keyspaceId = String((await plane.createKeyspace('orders-live')).body.id);
  nodes = [await plane.startNode({ name: 'one' }), await plane.startNode({ name: 'two' })];
});
afterAll(() => plane?.stop());

const everywhere = (): Desk[] => [...nodes, { url: plane.server.url, managementKey: plane.managementKey }];
const codes = (secret: string): Promise<string[]> =>
  Promise.all(everywhere().map((desk) => codeOf(desk, { key: secret, keyspace: 'orders-live' })));
const all = (code: string): string[] => [code, code, code];
/** What every desk says once it has been told by the change's own `seq` how fresh it has to be. */
const codesSince = (secret: string, seq: unknown): Promise<string[]> =>
  Promise.all(everywhere().map((desk) => codeOf(desk, { key: secret, min_seq: String(seq) })));
const ownerOf = async (external_id: string): Promise<{ id: string; owner: object }> => {
  const owner = { kind: 'service', external_id };
  return { id: String((await plane.call('POST', '/v1/owners', owner)).body.id), owner };
};

describe('what works at the server works at once on every node', () => {
  it('a key that was issued, one by one and in bulk', async () => {
    for (let round = 0; round < 40; round += 1) {
      expect(await codes((await plane.issue('orders-live')).secret)).toEqual(all('valid'));
    }
    const item = { keyspace: 'orders-live', owner: { kind: 'service', external_id: 'swarm' }, scopes: [] };
    const { body } = await plane.call('POST', '/v1/keys/bulk', { keys: Array(200).fill(item) });
    const secrets = (body.results as { secret: string }[]).map(({ secret }) => secret);
    for (const desk of nodes) {
      const { results } = (
        await ask(`${desk.url}/v1/keys/verify/bulk`, {
          as: plane.managementKey,
          body: { keys: secrets.map((key) => ({ key })) },
        })
      ).body as { results: { code: string }[] };
      expect(new Set(results.map(({ code }) => code))).toEqual(new Set(['valid']));
      expect(results).toHaveLength(200);
    }
  });

  it('the new version of a rotated key, and the old one with its end', async () => {
    const key = await plane.issue('orders-live');
    const { body } = await plane.call('POST', `/v1/keys/${key.id}/rotate`, { grace_seconds: 600 });
    expect(await codes(String(body.secret))).toEqual(all('valid'));
    const { retires_at } = body.previous as { retires_at: string };
    for (const desk of everywhere()) {
      const old = await verify(desk, { key: key.secret, min_seq: String(body.seq) });
      expect(old.body).toMatchObject({ code: 'valid', version: 1, rotation: { state: 'grace', retires_at } });
      const next = await verify(desk, { key: String(body.secret) });
      expect(next.body).toMatchObject({ code: 'valid', version: 2 });
      expect(next.body).not.toHaveProperty('rotation');
    }
  });

  it('a key that was resumed, a key whose owner was, and a key whose keyspace was', async () => {
    const { id: ownerId, owner } = await ownerOf('resumed');
    const key = await plane.issue('orders-live', { owner });
    for (const path of [`/v1/keys/${key.id}`, `/v1/owners/${ownerId}`, `/v1/keyspaces/${keyspaceId}`]) {
      const suspended = await plane.call('POST', `${path}/suspend`, {});
      expect([path, await codesSince(key.secret, suspended.body.seq)]).toEqual([path, all('suspended')]);
      await plane.call('POST', `${path}/resume`, {});
      expect([path, await codes(key.secret)]).toEqual([path, all('valid')]);
    }
  });

  it('a key issued to an owner whose keys were all revoked a moment before', async () => {
    const { id, owner } = await ownerOf('leaky');
    const before = await plane.issue('orders-live', { owner });
    const { body } = await plane.call('POST', `/v1/owners/${id}/revoke-keys`, {});
    expect(await codesSince(before.secret, body.seq)).toEqual(all('revoked'));
    const after = await plane.issue('orders-live', { owner });
    expect(await codes(after.secret)).toEqual(all('valid'));
    expect(await codes(before.secret)).toEqual(all('revoked'));
  });

  it('a key of a keyspace that was made a moment before', async () => {
    await plane.createKeyspace('newborn', { prefix: 'newborn' });
    const key = await plane.issue('newborn');
    const answers = everywhere().map((desk) => codeOf(desk, { key: key.secret, keyspace: 'newborn' }));
    expect(await Promise.all(answers)).toEqual(all('valid'));
  });
});

describe('what ends at the server ends everywhere', () => {
  it('a revoked key, with nobody asked to wait', async () => {
    const key = await plane.issue('orders-live');
    expect(await codes(key.secret)).toEqual(all('valid'));
    const { body } = await plane.call('POST', `/v1/keys/${key.id}/revoke`, { reason: 'leaked' });
    await until('every node refuses it', async () =>
      (await codes(key.secret)).every((code) => code === 'revoked'),
    );
    expect(Date.now()).toBeLessThan(Date.parse(String(body.effective_by)));
  });

  it('an expired key, never a moment after its expiry and never before it', async () => {
    const expiresAtMs = Date.now() + 1500;
    const key = await plane.issue('orders-live', { expires_at: new Date(expiresAtMs).toISOString() });
    for (const desk of everywhere()) {
      const { body } = await verify(desk, { key: key.secret });
      expect(Date.parse(String(body.expires_at))).toBe(expiresAtMs);
    }
    const watched = everywhere().map(async (desk) => {
      let validAfterExpiry = 0;
      let answers = 0;
      for (;;) {
        const sentAtMs = Date.now();
        const code = await codeOf(desk, { key: key.secret });
        answers += 1;
        if (code === 'expired')
          return { validAfterExpiry, answers, early: Date.now() < expiresAtMs - 250, code };
        if (code !== 'valid' || sentAtMs > expiresAtMs + 5_000)
          return { validAfterExpiry, answers, early: true, code };
        if (sentAtMs >= expiresAtMs) validAfterExpiry += 1;
      }
    });
    for (const seen of await Promise.all(watched)) {
      expect(seen).toMatchObject({ validAfterExpiry: 0, early: false, code: 'expired' });
      expect(seen.answers).toBeGreaterThan(10);
    }
  });

  it('a key before its time becomes valid, never early and with nobody to tell it', async () => {
    const beginsAtMs = Date.now() + 1000;
    const key = await plane.issue('orders-live', { not_before: new Date(beginsAtMs).toISOString() });
    await Promise.all(
      everywhere().map(async (desk) => {
        expect(await codeOf(desk, { key: key.secret })).toBe('not_yet_valid');
        await until('it is valid', async () => (await codeOf(desk, { key: key.secret })) === 'valid');
        expect(Date.now()).toBeGreaterThanOrEqual(beginsAtMs);
      }),
    );
  });

  it('the old version of a rotated key, when its grace is over', async () => {
    const key = await plane.issue('orders-live');
    const { body } = await plane.call('POST', `/v1/keys/${key.id}/rotate`, { grace_seconds: 1 });
    const retiresAtMs = Date.parse((body.previous as { retires_at: string }).retires_at);
    await Promise.all(
      everywhere().map(async (desk) => {
        let lastSentAtMs = 0;
        await until('the old version is refused', async () => {
          const sentAtMs = Date.now();
          const code = await codeOf(desk, { key: key.secret });
          if (code === 'valid') lastSentAtMs = sentAtMs;
          return code !== 'valid' && code;
        });
        expect(lastSentAtMs).toBeGreaterThan(0);
        expect(lastSentAtMs).toBeLessThan(retiresAtMs);
        expect(Date.now()).toBeGreaterThan(retiresAtMs - 250);
        expect(await codeOf(desk, { key: String(body.secret) })).toBe('valid');
      }),
    );
  });

  it('the old version of a rotation that was finished by force', async () => {
    const key = await plane.issue('orders-live');
    const rotated = await plane.call('POST', `/v1/keys/${key.id}/rotate`, { grace_seconds: 600 });
    const { body } = await plane.call('POST', `/v1/keys/${key.id}/finish-rotation`, { force: true });
    expect(await codesSince(key.secret, body.seq)).toEqual(all('expired'));
    expect(await codes(String(rotated.body.secret))).toEqual(all('valid'));
  });
});

describe('min_seq', () => {
  it('makes every node know of the change that it names, at the first answer', async () => {
    for (let round = 0; round < 20; round += 1) {
      const key = await plane.issue('orders-live');
      expect(await codes(key.secret)).toEqual(all('valid'));
      const { body } = await plane.call('POST', `/v1/keys/${key.id}/revoke`, {});
      expect(await codesSince(key.secret, body.seq)).toEqual(all('revoked'));
    }
  });

  it('is had from every reply to a change', async () => {
    const key = await plane.issue('orders-live');
    const { id, owner } = await ownerOf('with-seq');
    await plane.issue('orders-live', { owner });
    for (const [method, path, body] of [
      ['PATCH', `/v1/keys/${key.id}`, { name: 'renamed' }],
      ['PATCH', `/v1/keyspaces/${keyspaceId}`, { max_grace_seconds: 604_800 - 1 }],
      ['POST', `/v1/owners/${id}/suspend`, {}],
      ['POST', `/v1/owners/${id}/resume`, {}],
      ['POST', `/v1/keys/${key.id}/rotate`, { grace_seconds: 600 }],
    ] as const) {
      const reply = await plane.call(method, path, body);
      expect([path, reply.body.seq]).toEqual([path, expect.stringMatching(/^\d+\.\d+\.\d+$/)]);
      expect(await codesSince(key.secret, reply.body.seq)).toEqual(all('valid'));
    }
  });

  it.each(['', 'abc', '1', '1.2', '1.2.3.4', '-1.0.0', '01.0.1', '1.0.1e3', ' 1.0.1', 5, null])(
    'is refused by name where it is no seq: %s',
    async (minSeq) => {
      for (const desk of everywhere()) {
        const body = { key: 'no key', min_seq: minSeq };
        const reply = await ask(`${desk.url}/v1/keys/verify`, { as: desk.managementKey, body });
        expect([reply.status, reply.body.code, reply.body.field]).toEqual([400, 'invalid_field', '/min_seq']);
        expect(String(reply.body.expected)).not.toBe('');
      }
    },
  );

  it('of something that has not happened is 503 stale with Retry-After, and nobody hangs', async () => {
    const key = await plane.issue('orders-live');
    const [epoch, shard, number] = key.seq.split('.').map(Number) as [number, number, number];
    for (const desk of everywhere()) {
      for (const minSeq of [`${epoch}.${shard}.${number + 1_000_000}`, `${epoch + 1}.${shard}.1`]) {
        const reply = await verify(desk, { key: key.secret, min_seq: minSeq });
        expect([minSeq, reply.status, reply.body.code]).toEqual([minSeq, 503, 'stale']);
        expect(Number(reply.headers.get('retry-after'))).toBeGreaterThanOrEqual(1);
      }
      expect(await codeOf(desk, { key: key.secret })).toBe('valid');
    }
  });

  it('of one key in a bulk question says nothing of the others', async () => {
    const key = await plane.issue('orders-live');
    const [epoch, shard, number] = key.seq.split('.').map(Number) as [number, number, number];
    for (const desk of everywhere()) {
      const reply = await ask(`${desk.url}/v1/keys/verify/bulk`, {
        as: desk.managementKey,
        body: {
          keys: [{ key: key.secret }, { key: key.secret, min_seq: `${epoch}.${shard}.${number + 1e6}` }],
        },
      });
      expect(reply.status).toBe(200);
      const [known, future] = reply.body.results as { code?: string; error?: { code: string } }[];
      expect([known?.code, future?.code, future?.error?.code]).toEqual(['valid', undefined, 'stale']);
    }
  });
});
