import { randomBytes } from 'node:crypto';
import { mintKeyString } from '@keyswarm/core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { NodeProcess } from '../bound/node-process.ts';
import { ask, codeOf, type Desk, verify } from './ask.ts';
import { type IssuedKey, type Plane, startPlane, until } from './plane.ts';

/* What a verify-only node answers, beside what the server does: the contract is one. */

let plane: Plane;
let node: NodeProcess;
let keyspaceId: string;
let otherId: string;
let key: IssuedKey;

beforeAll(async () => {
  plane = await startPlane();
  keyspaceId = String((await plane.createKeyspace('orders-live')).body.id);
  otherId = String((await plane.createKeyspace('parcels', { prefix: 'parcels' })).body.id);
  key = await plane.issue('orders-live');
  node = await plane.startNode({ name: 'asked' });
});
afterAll(() => plane?.stop());

const seats = ['server', 'node'] as const;
const deskOf = (seat: (typeof seats)[number]): Desk =>
  seat === 'node' ? node : { url: plane.server.url, managementKey: plane.managementKey };

describe.each(seats)('a verification at the %s', (seat) => {
  it('tells who holds a valid key, and nothing secret', async () => {
    const reply = await verify(deskOf(seat), {
      key: key.secret,
      keyspace: 'orders-live',
      scopes: ['orders:read'],
    });
    expect(reply.status).toBe(200);
    expect(reply.headers.get('content-type')).toMatch(/^application\/json/);
    expect(reply.body).toMatchObject({
      valid: true,
      code: 'valid',
      key_id: key.id,
      version: 1,
      owner: { id: expect.stringMatching(/^own_/), kind: 'service', external_id: 'billing' },
      keyspace_id: keyspaceId,
      keyspace: 'orders-live',
      scopes: ['orders:read'],
      expires_at: null,
    });
    expect(reply.body).not.toHaveProperty('rotation');
    expect(reply.text).not.toContain(key.secret);
  });

  it('takes a keyspace by id as by name, and tells it from another one', async () => {
    const desk = deskOf(seat);
    expect(await codeOf(desk, { key: key.secret, keyspace: keyspaceId })).toBe('valid');
    expect(await codeOf(desk, { key: key.secret, keyspace: otherId })).toBe('wrong_keyspace');
    expect(await codeOf(desk, { key: key.secret, keyspace: 'parcels' })).toBe('wrong_keyspace');
    expect(await codeOf(desk, { key: key.secret })).toBe('valid');
  });

  it('requires every scope that the access point names', async () => {
    const desk = deskOf(seat);
    const wide = await plane.issue('orders-live', { scopes: ['orders:*'] });
    expect(await codeOf(desk, { key: wide.secret, scopes: ['orders:read', 'orders:write'] })).toBe('valid');
    expect(await codeOf(desk, { key: key.secret, scopes: ['orders:read', 'orders:write'] })).toBe(
      'insufficient_scope',
    );
    expect(await codeOf(desk, { key: key.secret, scopes: [] })).toBe('valid');
  });

  it('refuses what is no key, and what is a key of nobody, each by its code and with nothing else', async () => {
    const desk = deskOf(seat);
    const forged = mintKeyString('orders', randomBytes);
    const typo = key.secret.slice(0, -1) + (key.secret.endsWith('a') ? 'b' : 'a');
    for (const [given, code] of [
      ['', 'malformed'],
      ['not a key', 'malformed'],
      [typo, 'malformed'],
      [key.secret.slice(0, -3), 'malformed'],
      ['x'.repeat(100_000), 'malformed'],
      [forged, 'unknown'],
    ] as const) {
      const reply = await verify(desk, { key: given });
      expect(reply.status).toBe(200);
      expect(reply.body).toEqual({ valid: false, code });
    }
  });

  it('refuses a key before its time, and says only that', async () => {
    const later = new Date(Date.now() + 3_600_000).toISOString();
    const early = await plane.issue('orders-live', { not_before: later });
    expect((await verify(deskOf(seat), { key: early.secret })).body).toEqual({
      valid: false,
      code: 'not_yet_valid',
    });
  });

  it('answers many at once in order, each by its own requirement', async () => {
    const revoked = await plane.issue('orders-live');
    await plane.call('POST', `/v1/keys/${revoked.id}/revoke?wait=effective`, {});
    const reply = await ask(`${deskOf(seat).url}/v1/keys/verify/bulk`, {
      as: plane.managementKey,
      body: {
        keys: [
          { key: key.secret },
          { key: 'no key' },
          { key: key.secret, keyspace: 'parcels' },
          { key: key.secret, scopes: ['orders:write'] },
          { key: revoked.secret },
          { key: mintKeyString('orders', randomBytes) },
        ],
      },
    });
    expect(reply.status).toBe(200);
    const results = reply.body.results as { code: string; key_id?: string }[];
    expect(results.map((result) => result.code)).toEqual([
      'valid',
      'malformed',
      'wrong_keyspace',
      'insufficient_scope',
      'revoked',
      'unknown',
    ]);
    expect(results[0]?.key_id).toBe(key.id);
  });

  it('bounds a bulk question at 1,000 keys, and wants at least one', async () => {
    const url = `${deskOf(seat).url}/v1/keys/verify/bulk`;
    const many = (count: number) => ({ keys: Array.from({ length: count }, () => ({ key: key.secret })) });
    expect((await ask(url, { as: plane.managementKey, body: many(1000) })).status).toBe(200);
    for (const count of [0, 1001]) {
      const reply = await ask(url, { as: plane.managementKey, body: many(count) });
      expect([count, reply.status, reply.body.code, reply.body.field]).toEqual([
        count,
        400,
        'invalid_field',
        '/keys',
      ]);
    }
  });

  it.each([
    ['{"key":"a","sccopes":[]}', 400, 'unknown_field', '/sccopes'],
    ['{"keyspace":"orders-live"}', 400, 'missing_field', '/key'],
    ['{"key":5}', 400, 'invalid_field', '/key'],
    ['{"key":"a","scopes":"orders:read"}', 400, 'invalid_field', '/scopes'],
    ['{"key":"a","keyspace":"No Such"}', 400, 'invalid_field', '/keyspace'],
    ['{"key":', 400, 'invalid_json', undefined],
    ['', 400, undefined, undefined],
    ['[]', 400, 'invalid_field', undefined],
    ['null', 400, 'invalid_field', undefined],
  ])('says what is wrong with %s', async (raw, status, code, field) => {
    const reply = await ask(`${deskOf(seat).url}/v1/keys/verify`, {
      as: plane.managementKey,
      method: 'POST',
      raw,
    });
    expect(reply.status).toBe(status);
    expect(reply.headers.get('content-type')).toMatch(/^application\/problem\+json/);
    if (code !== undefined) expect(reply.body.code).toBe(code);
    if (field !== undefined) expect(reply.body.field).toBe(field);
    expect(reply.body).toMatchObject({ status, request_id: expect.any(String), detail: expect.any(String) });
  });

  it('takes no body beyond 2 MiB, none that is not JSON, and no other method', async () => {
    const url = `${deskOf(seat).url}/v1/keys/verify`;
    const large = await ask(url, { as: plane.managementKey, body: { key: 'x'.repeat(2 * 1024 * 1024) } });
    expect([large.status, large.body.code]).toEqual([413, 'payload_too_large']);
    const text = await ask(url, {
      as: plane.managementKey,
      raw: '{}',
      headers: { 'content-type': 'text/plain' },
    });
    expect([text.status, text.body.code]).toEqual([415, 'unsupported_media_type']);
    for (const method of ['GET', 'PUT', 'DELETE', 'PATCH']) {
      const reply = await ask(url, { as: plane.managementKey, method });
      expect([method, reply.status, reply.body.code]).toEqual([method, 405, 'method_not_allowed']);
      expect(reply.headers.get('allow')).toContain('POST');
    }
    expect((await ask(url, { as: plane.managementKey, method: 'HEAD' })).status).toBe(405);
  });

  it('wants a management key that may verify, and tells nobody else anything', async () => {
    const desk = deskOf(seat);
    const narrow = await plane.mintManagementKey(['events:read']);
    const here = await plane.mintManagementKey(['keys:verify:orders-live']);
    const there = await plane.mintManagementKey(['keys:verify:parcels']);
    const cases: [string | undefined, number, string][] = [
      [undefined, 401, 'unauthenticated'],
      ['nonsense', 401, 'unauthenticated'],
      [mintKeyString('keyswarm', randomBytes), 401, 'unauthenticated'],
      [key.secret, 401, 'unauthenticated'],
      [narrow.secret, 403, 'forbidden'],
      [here.secret, 200, 'valid'],
    ];
    for (const [as, status, code] of cases) {
      const reply = await ask(`${desk.url}/v1/keys/verify`, {
        as,
        body: { key: key.secret, keyspace: 'orders-live' },
      });
      expect([reply.status, reply.body.code]).toEqual([status, code]);
    }
    const elsewhere = { url: desk.url, managementKey: there.secret };
    const hidden = await verify(elsewhere, { key: key.secret, keyspace: 'orders-live' });
    const absent = await verify(elsewhere, { key: key.secret, keyspace: 'no-such-thing' });
    // The name is the asker's own; all else is the same.
    const masked = ({ status, body }: typeof hidden, name: string) => [
      status,
      body.code,
      String(body.detail).replace(name, '…'),
      body.expected,
    ];
    expect(masked(hidden, 'orders-live')).toEqual(masked(absent, 'no-such-thing'));
    expect(hidden.body.valid).not.toBe(true);
  });

  it('refuses a management key that was revoked', async () => {
    const desk = deskOf(seat);
    const manager = await plane.mintManagementKey(['keys:verify']);
    const question = { body: { key: key.secret }, as: manager.secret };
    expect((await ask(`${desk.url}/v1/keys/verify`, question)).status).toBe(200);
    await plane.call('POST', `/v1/keys/${manager.id}/revoke?wait=effective`, {});
    expect((await ask(`${desk.url}/v1/keys/verify`, question)).status).toBe(401);
  });

  it('never takes a key from the URL', async () => {
    const reply = await ask(`${deskOf(seat).url}/v1/keys/verify?key=${key.secret}`, {
      as: plane.managementKey,
      body: { key: key.secret },
    });
    expect([reply.status, reply.body.code]).toEqual([400, 'secret_in_url']);
    expect(reply.text).not.toContain(key.secret);
  });
});

it('a node knows no other path of the server, and writes nothing', async () => {
  for (const [method, path, status, code] of [
    ['POST', '/v1/keys', 421, 'verifier_only'],
    ['GET', '/v1/keys', 421, 'verifier_only'],
    ['POST', `/v1/keys/${key.id}/revoke`, 421, 'verifier_only'],
    ['GET', '/v1/verifiers', 421, 'verifier_only'],
    ['GET', '/no-such-path', 404, 'not_found'],
  ] as const) {
    const reply = await ask(node.url + path, {
      method,
      as: plane.managementKey,
      ...(method === 'POST' ? { body: {} } : {}),
    });
    expect([path, reply.status, reply.body.code]).toEqual([path, status, code]);
  }
});

it('neither the log of a node nor that of the server holds a key', async () => {
  await until('the node has been asked', async () => (await node.metric('keyswarm_verifications_total')) > 0);
  for (const output of [node.output(), plane.server.output()]) {
    expect(output).not.toContain(key.secret);
    expect(output).not.toContain(plane.managementKey);
  }
});
