import { createServer, type IncomingHttpHeaders, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { leavesOut } from '@keyswarm/harness/leaves-out';
import { findNginx, type Nginx, startNginx } from '@keyswarm/harness/nginx';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { issue, makeKeyspace } from '../boot/suite/fixtures.ts';
import { digestOf, newPair, signatureOf } from '../boot/suite/sign-request.ts';
import { type StoreHouse, startStoreHouse } from '../verify-node/testing/store-house.ts';
import type { TestNode } from '../verify-node/testing/test-node.ts';

/* A real nginx with the snippets of deploy/nginx, a node behind it, and an application that tells what it was sent. */

const { missing } = findNginx();

describe.skipIf(leavesOut(missing))('behind nginx', () => {
  let house: StoreHouse;
  let node: TestNode;
  let nginx: Nginx;
  let application: Server;
  let keyspace: string;
  beforeAll(async () => {
    house = await startStoreHouse();
    keyspace = (await makeKeyspace(house.server, { lease_seconds: 1 })).name;
    node = await house.startNode({ forwardAuth: keyspace });
    await node.ready;
    application = createServer((request, response) => {
      response.setHeader('content-type', 'application/json');
      response.end(JSON.stringify(request.headers));
    }).listen(0, '127.0.0.1');
    await new Promise((resolve) => application.once('listening', resolve));
    const { port } = application.address() as AddressInfo;
    nginx = await startNginx({
      nodes: [new URL(node.url).host],
      application: `127.0.0.1:${port}`,
      locations: {
        '/orders/': `keyspace=${keyspace}&scope=orders:read`,
        '/wrong/': 'keyspace=nowhere',
        '/signed/': `keyspace=${keyspace}&scope=orders:read&origin=https://orders.example`,
      },
    });
  });
  afterAll(async () => {
    await nginx?.stop();
    application?.close();
    await house?.close();
  });

  const ask = (key: string | undefined, path = '/orders/1', headers = {}) =>
    fetch(nginx.url + path, {
      headers: { ...(key === undefined ? {} : { authorization: `Bearer ${key}` }), ...headers },
    });

  test('a good key gets through, and what it is counts instead of what the client claims', async () => {
    const { id, secret } = await issue(house.server, keyspace);
    const claimed = {
      'x-keyswarm-owner': 'root',
      'x-keyswarm-key-id': 'key_forged',
      'x-keyswarm-scopes-partial': 'forged',
      'x-keyswarm-retires-at': 'forged',
      'x-keyswarm-renew-after': 'forged',
      'x-api-key': secret,
    };
    const reply = await ask(secret, '/orders/1?x=y', claimed);
    expect(reply.status).toBe(200);
    const sent = (await reply.json()) as IncomingHttpHeaders;
    expect(sent).toMatchObject({
      'x-keyswarm-key-id': id,
      'x-keyswarm-keyspace': keyspace,
      'x-keyswarm-scopes': 'orders:read',
      'x-keyswarm-owner-kind': 'service',
    });
    expect(JSON.stringify(sent)).not.toMatch(/forged|"root"/);
    expect(JSON.stringify(sent), 'the key stays at the door').not.toContain(secret);
  });

  test('nobody else does: 401 with a challenge, 403 for want of a scope', async () => {
    const { secret } = await issue(house.server, keyspace, { scopes: ['orders:write'] });
    for (const reply of [await ask(undefined), await ask('nonsense'), await ask(secret, '/wrong/')]) {
      expect(reply.status).toBe(401);
      expect(reply.headers.get('www-authenticate')).toBe('Bearer realm="keyswarm", error="invalid_token"');
    }
    expect((await ask(secret)).status).toBe(403);
  });

  test('a signed request gets through once, by what nginx saw of it and not by what its client says', async () => {
    const { proof, signerFor } = newPair();
    const { id } = await issue(house.server, keyspace, { proof });
    const url = 'https://orders.example/signed/1?x=%20y';
    const send = (path: string, more = {}) => {
      const signed = signatureOf(signerFor(`${id}.1`), { method: 'POST', url, body: 'abc' });
      return fetch(nginx.url + path, { method: 'POST', body: 'abc', headers: { ...signed, ...more } });
    };
    await expect
      .poll(async () => (await send('/signed/1?x=%20y')).status, { timeout: 5_000, interval: 20 })
      .toBe(200);
    const reply = await send('/signed/1?x=%20y', { 'x-keyswarm-content-digest': 'forged' });
    const sent = (await reply.json()) as IncomingHttpHeaders;
    expect(sent).toMatchObject({ 'x-keyswarm-key-id': id, 'x-keyswarm-content-digest': digestOf('abc') });
    const claimed = { 'x-forwarded-uri': '/signed/1?x=%20y', 'x-forwarded-method': 'POST' };
    expect((await send('/signed/2', claimed)).status).toBe(401);
    expect((await send('/orders/1', claimed)).status).toBe(401);
  });

  test('a revoked key is refused from the moment that the node has heard of it', async () => {
    const { id, secret } = await issue(house.server, keyspace);
    expect((await ask(secret)).status).toBe(200);
    await house.server.post(`/v1/keys/${id}/revoke`, {});
    await expect.poll(async () => (await ask(secret)).status, { timeout: 5_000, interval: 5 }).toBe(401);
    // Once refused it stays refused.
    for (let round = 0; round < 20; round += 1) expect((await ask(secret)).status).toBe(401);
  });

  test('what can not be said is 503 with a time to come back, never yes and never no', async () => {
    const { secret } = await issue(house.server, keyspace);
    expect((await ask(secret)).status).toBe(200);
    house.cut(true);
    await expect.poll(async () => (await ask(secret)).status, { timeout: 10_000 }).toBe(503);
    const reply = await ask(secret);
    expect(reply.headers.get('retry-after')).toBe('1');
    expect(reply.headers.get('content-type')).toContain('application/problem+json');
    expect(await reply.json()).toMatchObject({ status: 503 });
    house.cut(false);
    await expect.poll(async () => (await ask(secret)).status, { timeout: 10_000 }).toBe(200);
  });

  test('a node that is gone is 503 too, and no key is in what nginx wrote', async () => {
    const { secret } = await issue(house.server, keyspace);
    await node.close();
    const reply = await ask(secret);
    expect(reply.status).toBe(503);
    expect(reply.headers.get('retry-after')).toBe('1');
    expect(nginx.output()).not.toContain(secret);
  });
});
