import { afterAll, beforeAll, describe, expect, it, test } from 'vitest';
import { issue, makeKeyspace, manager } from '../boot/suite/fixtures.ts';
import { RawConnection } from '../boot/suite/raw-request.ts';
import { type StoreHouse, startStoreHouse } from './testing/store-house.ts';
import type { TestNode } from './testing/test-node.ts';

/* A node in this process, over the feed of a real store; node.int.test.ts has real processes and real relays. */

let house: StoreHouse;
let node: TestNode;
beforeAll(async () => {
  house = await startStoreHouse();
  node = await house.startNode();
  await node.ready;
}, 60_000);
afterAll(() => house.close());

const post = (at: TestNode, path: string, body: unknown, key = house.server.rootKey) =>
  fetch(at.url + path, {
    method: 'POST',
    headers: { 'content-type': 'application/json', authorization: `Bearer ${key}` },
    body: JSON.stringify(body),
  });
const readiness = async (at: TestNode) => {
  const reply = await fetch(`${at.url}/readyz`);
  return { code: reply.status, body: (await reply.json()) as Record<string, unknown> };
};

describe('a node verifies as its server does', () => {
  it('by one key or by many, at once after they were issued, by the first answer', async () => {
    const { name } = await makeKeyspace(house.server);
    const issued = await issue(house.server, name);
    const one = await post(node, '/v1/keys/verify', { key: issued.secret, keyspace: name });
    expect(await one.json()).toMatchObject({ valid: true, code: 'valid', key_id: issued.id, keyspace: name });
    const later = await issue(house.server, name);
    const keys = [{ key: later.secret }, { key: 'x' }, { key: later.secret, scopes: ['orders:write'] }];
    const many = (await (await post(node, '/v1/keys/verify/bulk', { keys })).json()) as {
      results: { code: string }[];
    };
    expect(many.results.map(({ code }) => code)).toEqual(['valid', 'malformed', 'insufficient_scope']);
  });

  it('to management keys, for what they may ask about and nothing else', async () => {
    const { name, id } = await makeKeyspace(house.server);
    const other = await makeKeyspace(house.server);
    const { secret } = await issue(house.server, name);
    const narrow = await manager(house.server, [`keys:verify:${name}`]);
    const reader = await manager(house.server, ['keys:read']);
    const asked = async (keyspace: string, key: string) => {
      const reply = await post(node, '/v1/keys/verify', { key: secret, keyspace }, key);
      return [reply.status, ((await reply.json()) as { code: string }).code];
    };
    expect(await asked(name, narrow)).toEqual([200, 'valid']);
    expect(await asked(id, narrow)).toEqual([200, 'valid']);
    expect(await asked(other.name, narrow)).toEqual([404, 'not_found']);
    expect(await asked(other.id, narrow)).toEqual([404, 'not_found']);
    expect(await asked(name, reader)).toEqual([403, 'forbidden']);
    expect(await asked(name, 'nonsense')).toEqual([401, 'unauthenticated']);
  });

  it('as fresh as a caller wants it', async () => {
    const { name } = await makeKeyspace(house.server);
    const { secret, id } = await issue(house.server, name);
    const { seq } = (await house.server.post(`/v1/keys/${id}/revoke`, {})).body;
    const reply = await post(node, '/v1/keys/verify', { key: secret, min_seq: seq });
    expect(await reply.json()).toMatchObject({ valid: false, code: 'revoked' });
  });

  it('and offers nothing else', async () => {
    for (const path of ['/', '/v1', '/v1/feed/lease', '/openapi.json', '/v1/forward-auth?keyspace=a']) {
      expect((await fetch(node.url + path)).status, path).toBe(404);
    }
    expect((await fetch(`${node.url}/v1/keys/verify`)).status).toBe(405);
  });

  it('says to a call that manages something that it is a verifier, and to nobody where a server is', async () => {
    const calls = [
      ['GET', '/v1/keyspaces'],
      ['POST', '/v1/keys'],
      ['POST', '/v1/keys/key_01h455vb4pex5vsknk084sn02q/revoke'],
      ['GET', '/v1/events?from=recent'],
      ['POST', '/oauth/token'],
    ] as const;
    for (const [method, path] of calls) {
      const reply = await fetch(node.url + path, { method });
      const text = await reply.text();
      expect(reply.status, path).toBe(421);
      expect(reply.headers.get('content-type')).toContain('application/problem+json');
      expect(JSON.parse(text)).toMatchObject({ code: 'verifier_only' });
      expect(text).not.toContain(new URL(house.server.url).port);
    }
  });

  it('and is well', async () => {
    expect(await (await fetch(`${node.url}/healthz`)).json()).toEqual({ status: 'ok' });
  });

  it('counting what an operator watches, and no series of what it never does', async () => {
    const text = await (await fetch(`${node.url}/metrics`)).text();
    for (const name of [
      'keyswarm_lease_age_seconds',
      'keyswarm_applied_seq',
      'keyswarm_feed_lag_rows',
      'keyswarm_verifications_total{verdict="valid"}',
      'keyswarm_shed_total{reason="draining"}',
      'keyswarm_clock_uncertainty_seconds',
      'keyswarm_quarantined_shards 0',
      'keyswarm_verifier_state{state="fresh"} 1',
    ]) {
      expect(text).toContain(name);
    }
    expect(text).not.toContain('keyswarm_issuance');
    expect(text).not.toContain('keyswarm_lane');
  });
});

describe('before it knows anything', () => {
  it('its port is open, it lives, it is not ready, and it says neither yes nor no', async () => {
    house.cut(true);
    const cold = await house.startNode();
    expect((await fetch(`${cold.url}/healthz`)).status).toBe(200);
    await expect.poll(async () => (await readiness(cold)).body.notes).toEqual(['loading: the link is cut']);
    expect(await readiness(cold)).toMatchObject({
      code: 503,
      body: {
        status: 'not_ready',
        checks: { verifier: 'failing' },
        lease_age_ms: null,
        quarantined_shards: [],
      },
    });
    for (const path of ['/v1/keys/verify', '/v1/keys/verify/bulk']) {
      const reply = await post(cold, path, { key: 'x' });
      expect([reply.status, reply.headers.get('retry-after')], path).toEqual([503, '1']);
      expect(await reply.json()).toMatchObject({ code: 'stale' });
    }
    expect(cold.log()).toContain('the feed can not be followed');
    house.cut(false);
    await cold.ready;
    expect((await readiness(cold)).code).toBe(200);
    expect((await post(cold, '/v1/keys/verify', { key: 'x' })).status).toBe(200);
  });
});

test('while it is ready still, it names a lease that is not renewed, and why', async () => {
  const cut = await house.startNode();
  await cut.ready;
  expect((await readiness(cut)).body).not.toHaveProperty('notes');
  house.cut(true);
  const overdue = expect.stringMatching(/^\w+: the lease has not been renewed for \d+ s: the link is cut$/);
  await expect.poll(async () => (await readiness(cut)).body.notes, { timeout: 8_000 }).toEqual([overdue]);
  expect((await readiness(cut)).code).toBe(200);
  house.cut(false);
}, 15_000);

describe('while it is stale', () => {
  it('it asks the authority about the keyspaces that it may, for callers that may, and about no others', async () => {
    const { server } = house;
    const strict = (await makeKeyspace(server, { lease_seconds: 1 })).name;
    const other = (await makeKeyspace(server, { lease_seconds: 1 })).name;
    const credential = await manager(server, ['keys:verify']);
    const asking = await house.startNode(
      { relays: server.url, fallbackKeyspaces: strict, forwardAuth: `${strict},${other}` },
      credential,
    );
    await asking.ready;
    const elsewhere = await manager(server, [`keys:verify:${other}`]);
    const good = await issue(server, strict);
    const bad = await issue(server, strict);
    const lost = await issue(server, other);
    const asked = async (key: string, keyspace: string, caller = server.rootKey) => {
      const reply = await post(asking, '/v1/keys/verify', { key, keyspace }, caller);
      return [reply.status, ((await reply.json()) as { code: string }).code];
    };
    const proxied = async (key: string, keyspace: string) =>
      (await fetch(`${asking.url}/v1/forward-auth?keyspace=${keyspace}`, { headers: { 'x-api-key': key } }))
        .status;
    expect(await asked(lost.secret, other)).toEqual([200, 'valid']);
    house.cut(true);
    await expect.poll(() => asked(lost.secret, other), { timeout: 10_000 }).toEqual([503, 'stale']);
    // Known at the authority alone.
    const { seq } = (await server.post(`/v1/keys/${bad.id}/revoke`, {})).body;
    expect(await asked(good.secret, strict)).toEqual([200, 'valid']);
    expect(await asked(bad.secret, strict)).toEqual([200, 'revoked']);
    expect((await asked(good.secret, strict, elsewhere))[0]).toBe(404);
    // Here `stale` is said before it is looked at what the caller may ask about.
    const fresh = { key: bad.secret, keyspace: strict, min_seq: seq };
    expect((await post(asking, '/v1/keys/verify', fresh, elsewhere)).status).toBe(503);
    expect(await proxied(good.secret, strict)).toBe(200);
    expect(await proxied(bad.secret, strict)).toBe(401);
    expect(await proxied(lost.secret, other)).toBe(503);
    house.cut(false);
  }, 20_000);
});

describe('told to stop', () => {
  it('it is not ready, finishes what is under way, and takes nothing new', async () => {
    const leaving = await house.startNode();
    await leaving.ready;
    const body = '{"key":"x"}';
    const connection = await RawConnection.open(leaving.url);
    await connection.hold('/v1/keys/verify', house.server.rootKey, body.length);
    const closed = leaving.close();
    connection.socket.write(body);
    await connection.until('"code":"malformed"');
    await closed;
    await expect(fetch(`${leaving.url}/healthz`)).rejects.toThrow();
  });
});
