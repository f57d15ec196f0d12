import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import type { ServerConfig } from '../config/config-schema.ts';
import { createPgliteStore } from '../storage/pglite/pglite-store.ts';
import type { Store } from '../storage/store.ts';
import { problemOf } from './suite/fixtures.ts';
import { RawConnection } from './suite/raw-request.ts';
import { shareStore } from './suite/share-store.ts';
import { startTestServer, type TestServer } from './suite/test-server.ts';
import { postForm } from './suite/token-fixtures.ts';

/* Overload is shed at the door; a request in the door is finished, or cut off when its time is up. */

let store: Store;
let server: TestServer;
const held: RawConnection[] = [];

beforeAll(async () => {
  store = await createPgliteStore();
}, 30_000);
afterEach(async () => {
  for (const connection of held.splice(0)) connection.socket.destroy();
  await server.close();
});
afterAll(() => store.close());

async function start(config: Partial<ServerConfig>): Promise<void> {
  server = await startTestServer({ store: shareStore(store), config });
}

async function hold(path: string, bytes: number): Promise<RawConnection> {
  const connection = await RawConnection.open(server.url);
  held.push(connection);
  await connection.hold(path, server.rootKey, bytes);
  return connection;
}

const list = () => server.get('/v1/keyspaces');
const verify = () => server.post('/v1/keys/verify', { key: 'x' });

describe('at its bounds the server', () => {
  test('refuses further changes, and goes on verifying', async () => {
    await start({ mutationsInFlightMax: 1 });
    const connection = await hold('/v1/keyspaces', 10);
    const refused = await list();
    expect(problemOf(refused)).toEqual({ code: 'overloaded', status: 503 });
    expect(refused.headers.get('retry-after')).toBe('1');
    expect((await verify()).status).toBe(200);
    expect((await server.get('/metrics')).text).toContain('keyswarm_shed_total{reason="mutations"} 1\n');
    // A client that goes away gives its place back.
    connection.socket.destroy();
    await expect.poll(async () => (await list()).status).toBe(200);
  });

  test('refuses further verifications, and goes on changing things', async () => {
    await start({ verificationsInFlightMax: 1 });
    await hold('/v1/keys/verify', 10);
    expect(problemOf(await verify())).toEqual({ code: 'overloaded', status: 503 });
    expect((await list()).status).toBe(200);
  });

  test('gives one management key its share and no more', async () => {
    await start({ callerInFlightMax: 1 });
    await hold('/v1/keys/verify', 10);
    const refused = await list();
    expect(problemOf(refused)).toEqual({ code: 'rate_limited', status: 429 });
    expect(refused.headers.get('retry-after')).toBe('1');
  });

  test('counts the bytes of bodies that have been announced', async () => {
    await start({ bodyBytesInFlightMax: 1_000_000 });
    await hold('/v1/keys/bulk', 999_999);
    expect(problemOf(await server.post('/v1/owners', { kind: 'service', external_id: 'x' }))).toEqual({
      code: 'overloaded',
      status: 503,
    });
    expect((await list()).status).toBe(200);
  });

  test('takes no more connections than it may', async () => {
    await start({ socketsMax: 1 });
    await hold('/v1/keys/verify', 10);
    const connection = await RawConnection.open(server.url);
    await connection.ended();
    expect(connection.received).toBe('');
  });
});

describe('a form, which anyone may send,', () => {
  const formPaths = ['/oauth/token', '/oauth/introspect', '/oauth/revoke'];

  /** The head of a form and its first byte; resolves once the server has read that it is one. */
  async function beginForm(path: string, bytes: number): Promise<RawConnection> {
    const connection = await RawConnection.open(server.url);
    held.push(connection);
    const type = 'Content-Type: application/x-www-form-urlencoded';
    const head = [
      `POST ${path} HTTP/1.1`,
      'Host: x',
      type,
      `Content-Length: ${bytes}`,
      'Expect: 100-continue',
    ];
    connection.socket.write(`${head.join('\r\n')}\r\n\r\na`);
    await connection.until('100 Continue');
    return connection;
  }

  test('takes no place before it is there', async () => {
    await start({ mutationsInFlightMax: 1 });
    for (const path of [...formPaths, ...formPaths]) await beginForm(path, 4_000);
    expect((await list()).status).toBe(200);
    expect((await server.get('/metrics')).text).toContain('keyswarm_mutations_in_flight 0\n');
  });

  test('is answered when it comes in pieces', async () => {
    await start({});
    const connection = await beginForm('/oauth/token', 4);
    connection.socket.write('=');
    await server.get('/healthz');
    connection.socket.write('bc');
    await connection.until('grant_type is missing.');
  });

  test('is given up, and its connection closed, when it does not come', async () => {
    await start({});
    const slow = await beginForm('/oauth/revoke', 4_000);
    await slow.ended();
    expect(slow.received).toContain('HTTP/1.1 400 ');
    expect(slow.received).toContain('"error":"invalid_request"');
    expect(slow.received).toContain('did not come within 2 s');
  });

  test('is refused on its head when it is too large, and as it comes when it did not say so', async () => {
    await start({});
    const announced = await beginForm('/oauth/token', 1_000_000);
    await announced.ended();
    const chunked = await RawConnection.open(server.url);
    held.push(chunked);
    const type = 'Content-Type: application/x-www-form-urlencoded';
    const head = ['POST /oauth/token HTTP/1.1', 'Host: x', type, 'Transfer-Encoding: chunked'];
    chunked.socket.write(`${head.join('\r\n')}\r\n\r\n${(20_000).toString(16)}\r\n${'x'.repeat(20_000)}`);
    await chunked.ended();
    for (const { received } of [announced, chunked])
      expect(received).toContain('larger than this call takes');
  });

  test('is shed when it is there and no place is free', async () => {
    await start({ mutationsInFlightMax: 1 });
    await hold('/v1/keyspaces', 10);
    const reply = await postForm(server, '/oauth/revoke', { token: 'x' });
    expect(reply.body.error).toBe('temporarily_unavailable');
    expect([reply.status, reply.headers.get('retry-after')]).toEqual([503, '1']);
    // Whoever does not manage anything is no worse off.
    expect((await verify()).status).toBe(200);
  });
});

describe('told to stop, the server', () => {
  test('finishes what is under way, refuses what comes on open connections, and ends', async () => {
    await start({});
    const body = JSON.stringify({ kind: 'service', external_id: 'drained' });
    const busy = await hold('/v1/owners', body.length);
    const open = await RawConnection.open(server.url);
    const pipelined = await hold('/v1/keys/verify', 11);
    const closing = server.close();
    const ask = () =>
      fetch(`${server.url}/healthz`).then(
        () => 'answered',
        () => 'refused',
      );
    await expect.poll(ask).toBe('refused');
    pipelined.socket.write('{"key":"x"}GET /v1/keyspaces HTTP/1.1\r\nHost: x\r\n\r\n');
    await pipelined.until('shutting_down');
    expect(pipelined.received).toContain('HTTP/1.1 200 OK');
    expect(pipelined.received.toLowerCase()).toContain('connection: close');
    busy.socket.write(body);
    await busy.until('"external_id":"drained"');
    expect(busy.received).toContain('HTTP/1.1 201 Created');
    await closing;
    await Promise.all([busy.ended(), open.ended(), pipelined.ended()]);
  });

  test('is not ready while it still serves', async () => {
    await start({ drainDelayMs: 400 });
    const closing = server.close();
    const ready = await server.get('/readyz');
    expect([ready.status, ready.body]).toMatchObject([
      503,
      { status: 'not_ready', checks: { accepting: 'failing' } },
    ]);
    expect((await list()).status).toBe(200);
    await closing;
  });

  test('cuts off what does not end in time', async () => {
    await start({ drainTimeoutMs: 50 });
    const stuck = await hold('/v1/owners', 10);
    await server.close();
    await stuck.ended();
  });
});

describe('what is not HTTP', () => {
  test.each([
    ['garbage', 'NOT HTTP\r\n\r\n', 'HTTP/1.1 400 Bad Request'],
    ['a head without an end', `GET / HTTP/1.1\r\nX: ${'x'.repeat(20_000)}\r\n\r\n`, 'HTTP/1.1 431 '],
    [
      'two lengths',
      'POST /v1/keys HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n',
      'HTTP/1.1 400 ',
    ],
  ])('gets a problem and the end of the connection: %s', async (_, bytes, status) => {
    await start({});
    const connection = await RawConnection.open(server.url);
    connection.socket.write(bytes);
    await connection.ended();
    expect(connection.received).toContain(status);
    expect(connection.received).toContain('application/problem+json');
  });

  test('or never comes to an end is given up', async () => {
    await start({ headersTimeoutMs: 100, requestTimeoutMs: 100 });
    const connection = await RawConnection.open(server.url);
    connection.socket.write('GET / HTTP/1.1\r\n');
    await connection.ended();
    expect(connection.received).toContain('HTTP/1.1 408 ');
  });
});
