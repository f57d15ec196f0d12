import { randomBytes } from 'node:crypto';
import { mintKeyString } from '@keyswarm/core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { ServerProcess } from '../acceptance/server-process.ts';
import type { NodeProcess } from '../bound/node-process.ts';
import { ask, codeOf, type Desk, type Reply } from './ask.ts';
import { type IssuedKey, type Plane, signal, startPlane, until } from './plane.ts';

/* The other ways to be asked: for a proxy, through a relay of a region, by several workers behind one port. */

let plane: Plane;
let key: IssuedKey;

beforeAll(async () => {
  plane = await startPlane();
  await plane.createKeyspace('orders-live');
  await plane.createKeyspace('quick', { prefix: 'quick', lease_seconds: 1 });
  key = await plane.issue('orders-live');
});
afterAll(() => plane?.stop());

describe('forward-auth', () => {
  let node: NodeProcess;
  const path = '/v1/forward-auth?keyspace=orders-live&scope=orders:read';
  const asked = (headers: Readonly<Record<string, string>>, at = path): Promise<Reply> =>
    ask(node.url + at, { headers });
  const bearer = (secret: string) => ({ authorization: `Bearer ${secret}` });

  beforeAll(async () => {
    node = await plane.startNode({ name: 'front', env: { KEYSWARM_FORWARD_AUTH: 'orders-live,quick' } });
  });

  it('lets a valid key through and tells who holds it in headers, without a management key', async () => {
    for (const headers of [bearer(key.secret), { 'x-api-key': key.secret }]) {
      const reply = await asked(headers);
      expect(reply.status).toBe(200);
      expect(Object.fromEntries(reply.headers)).toMatchObject({
        'x-keyswarm-key-id': key.id,
        'x-keyswarm-key-version': '1',
        'x-keyswarm-owner': 'billing',
        'x-keyswarm-owner-kind': 'service',
        'x-keyswarm-owner-id': expect.stringMatching(/^own_/),
        'x-keyswarm-keyspace': 'orders-live',
        'x-keyswarm-scopes': 'orders:read',
      });
      expect(JSON.stringify([...reply.headers]) + reply.text).not.toContain(key.secret);
    }
  });

  it('answers 401 to what is no valid key, with no header of a holder', async () => {
    const revoked = await plane.issue('orders-live');
    await plane.call('POST', `/v1/keys/${revoked.id}/revoke?wait=effective`, {});
    const elsewhere = await plane.issue('quick');
    const forged = mintKeyString('orders', randomBytes);
    const given = [{}, bearer('nonsense'), bearer(revoked.secret), bearer(forged), bearer(elsewhere.secret)];
    for (const headers of given) {
      const reply = await asked(headers);
      expect(reply.status).toBe(401);
      expect(reply.headers.get('www-authenticate')).toMatch(/^Bearer/i);
      expect([...reply.headers.keys()].filter((name) => name.startsWith('x-keyswarm-key'))).toEqual([]);
    }
  });

  it('answers 403 to a valid key that lacks a scope', async () => {
    const reply = await asked(bearer(key.secret), '/v1/forward-auth?keyspace=orders-live&scope=orders:write');
    expect(reply.status).toBe(403);
    const both = '/v1/forward-auth?keyspace=orders-live&scope=orders:read&scope=orders:write';
    expect((await asked(bearer(key.secret), both)).status).toBe(403);
  });

  it('never lets anybody through where the question names no keyspace, or one that it was not told of', async () => {
    for (const question of [
      '',
      '?keyspace=',
      '?keyspace=keyswarm',
      '?keyspace=other',
      '?keyspaces=orders-live',
    ]) {
      const reply = await asked(bearer(key.secret), `/v1/forward-auth${question}`);
      expect([question, reply.status >= 400]).toEqual([question, true]);
    }
    const manager = await asked(bearer(plane.managementKey), '/v1/forward-auth?keyspace=keyswarm');
    expect(manager.status).toBeGreaterThanOrEqual(400);
  });

  it('answers 503 with Retry-After while it can not know, and never 401', async () => {
    const quick = await plane.issue('quick');
    const at = '/v1/forward-auth?keyspace=quick';
    expect((await asked(bearer(quick.secret), at)).status).toBe(200);
    signal(plane.server.pid, 'SIGSTOP');
    try {
      const stale = await until('it is stale', async () => {
        const reply = await asked(bearer(quick.secret), at);
        expect([200, 503]).toContain(reply.status);
        return reply.status === 503 && reply;
      });
      expect(Number(stale.headers.get('retry-after'))).toBeGreaterThanOrEqual(1);
      expect((await asked(bearer(key.secret))).status).toBe(200);
    } finally {
      signal(plane.server.pid, 'SIGCONT');
    }
    await until('it is fresh again', async () => (await asked(bearer(quick.secret), at)).status === 200);
  });

  it('knows a key that was issued a moment ago', async () => {
    for (let round = 0; round < 10; round += 1) {
      const fresh = await plane.issue('orders-live');
      expect((await asked(bearer(fresh.secret))).status).toBe(200);
    }
  });
});

describe('a node that serves the feed', () => {
  let relay: NodeProcess;
  let edge: NodeProcess;

  beforeAll(async () => {
    relay = await plane.startNode({
      name: 'region',
      env: { KEYSWARM_SERVE_FEED: 'true', KEYSWARM_REGION: 'west' },
    });
    edge = await plane.startNode({ name: 'edge', relayUrl: relay.url });
  });

  it('keeps who follows it as fresh as itself', async () => {
    for (let round = 0; round < 10; round += 1) {
      const fresh = await plane.issue('orders-live');
      expect(await codeOf(edge, { key: fresh.secret })).toBe('valid');
      const { body } = await plane.call('POST', `/v1/keys/${fresh.id}/revoke?wait=effective`, {});
      expect(await codeOf(edge, { key: fresh.secret })).toBe('revoked');
      expect((body.effective as { laggards: unknown[] }).laggards).toEqual([]);
      expect(await codeOf(edge, { key: fresh.secret, min_seq: String(body.seq) })).toBe('revoked');
    }
  });

  it('is in the list of verifiers with who follows it', async () => {
    const { body } = await plane.call('GET', '/v1/verifiers');
    const items = body.items as {
      name: string;
      kind: string;
      id: string;
      region: string;
      relay: { id: string };
    }[];
    const [region, follower] = ['region', 'edge'].map((name) => items.find((item) => item.name === name));
    expect(region).toMatchObject({ kind: 'relay', region: 'west' });
    expect(follower).toMatchObject({
      kind: 'node',
      relay: { id: region?.id, name: 'region', region: 'west' },
    });
  });

  it('passes on its own age: behind a relay that is cut off, a revoked key is accepted no longer than effective_by', async () => {
    const quick = await plane.issue('quick');
    expect(await codeOf(edge, { key: quick.secret })).toBe('valid');
    signal(relay.pid, 'SIGSTOP');
    let lastValidSentMs = 0;
    let effectiveByMs = 0;
    try {
      const { body } = await plane.call('POST', `/v1/keys/${quick.id}/revoke`, {});
      effectiveByMs = Date.parse(String(body.effective_by));
      await until('the bound is past', async () => {
        const sentMs = Date.now();
        if ((await codeOf(edge, { key: quick.secret })) === 'valid') lastValidSentMs = sentMs;
        return sentMs > effectiveByMs + 200;
      });
    } finally {
      signal(relay.pid, 'SIGCONT');
    }
    expect(lastValidSentMs).toBeLessThan(effectiveByMs);
    await until('it knows', async () => (await codeOf(edge, { key: quick.secret })) === 'revoked');
  });

  it('does not serve the feed unless told to', async () => {
    const reply = await ask(`${edge.url}/v1/feed/snapshot`, { as: plane.managementKey });
    expect(reply.status).toBe(404);
    const stranger = await ask(`${relay.url}/v1/feed/snapshot`);
    expect(stranger.status).toBe(401);
    const narrow = await plane.mintManagementKey(['keys:verify']);
    expect((await ask(`${relay.url}/v1/feed/snapshot`, { as: narrow.secret })).status).toBe(403);
  });
});

describe('two workers behind one port', () => {
  let workers: ServerProcess;
  let desk: Desk;

  beforeAll(async () => {
    workers = await plane.startServer({ env: { KEYSWARM_WORKERS: '2' } });
    desk = { url: workers.url, managementKey: plane.managementKey };
  });

  /** A connection of its own each time, so that either of them may be asked. */
  const codeApart = async (secret: string): Promise<string> => {
    const reply = await ask(`${desk.url}/v1/keys/verify`, {
      as: plane.managementKey,
      body: { key: secret },
      headers: { connection: 'close' },
    });
    return String(reply.body.code);
  };

  it('answer alike: what one has done the other knows at once', async () => {
    for (let round = 0; round < 10; round += 1) {
      const issued = await ask(`${desk.url}/v1/keys`, {
        as: plane.managementKey,
        body: { keyspace: 'orders-live', owner: { kind: 'service', external_id: 'billing' }, scopes: [] },
      });
      const { id, secret } = issued.body as { id: string; secret: string };
      const valid = await Promise.all(Array.from({ length: 8 }, () => codeApart(secret)));
      expect(valid).toEqual(Array(8).fill('valid'));
      const revoked = await ask(`${desk.url}/v1/keys/${id}/revoke?wait=effective`, {
        as: plane.managementKey,
        body: {},
      });
      expect(revoked.status).toBe(200);
      const after = await Promise.all(Array.from({ length: 8 }, () => codeApart(secret)));
      expect(after).toEqual(Array(8).fill('revoked'));
    }
  });

  it('are both in the list of verifiers', async () => {
    await until('both are listed', async () => {
      const { body } = await plane.call('GET', '/v1/verifiers');
      const servers = (body.items as { kind: string; state: string }[]).filter(
        ({ kind }) => kind === 'server',
      );
      return servers.filter(({ state }) => state === 'leased').length >= 3;
    });
  });

  it('end together on SIGTERM, with exit code 0', async () => {
    expect(await workers.stop()).toBe(0);
    await expect(ask(`${desk.url}/healthz`)).rejects.toThrow();
  });
});
