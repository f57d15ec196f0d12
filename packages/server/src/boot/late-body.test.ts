import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { bodyAtOnceMs } from '../limits.ts';
import { createPgliteStore } from '../storage/pglite/pglite-store.ts';
import type { Store } from '../storage/store.ts';
import { freshName, issue, makeKeyspace } from './suite/fixtures.ts';
import { RawConnection } from './suite/raw-request.ts';
import { startTestServer, type TestServer } from './suite/test-server.ts';

/* The head of a request is read long before its body may come. What was true then is asked again. */

let store: Store;
let server: TestServer;

beforeAll(async () => {
  store = await createPgliteStore();
  server = await startTestServer({ store });
}, 30_000);
afterAll(async () => {
  await server.close();
});

/** Sends the head with a good key, revokes that key, lets time pass that a body may take, then sends the body. */
async function answerAfterRevoke(path: string, scopes: readonly string[], body: object): Promise<string> {
  const { id, secret } = await issue(server, 'keyswarm', { scopes });
  const text = JSON.stringify(body);
  const connection = await RawConnection.open(server.url);
  await connection.hold(path, secret, Buffer.byteLength(text));
  expect((await server.post(`/v1/keys/${id}/revoke`, {})).status).toBe(200);
  const revokedAtMs = performance.now();
  while (performance.now() - revokedAtMs < 2 * bodyAtOnceMs) await server.get('/healthz');
  connection.socket.write(text);
  await connection.until('request_id');
  connection.socket.destroy();
  return connection.received;
}

describe('a management key that is revoked while the body is on its way', () => {
  test('issues nothing', async () => {
    const keyspace = (await makeKeyspace(server, { allowed_scopes: ['orders:*'] })).name;
    const before = await server.changes();
    const owner = { kind: 'service', external_id: freshName('late') };
    const body = { keyspace, owner, name: 'late', scopes: ['orders:read'] };
    expect(await answerAfterRevoke('/v1/keys', ['keys:issue'], body)).toContain('"code":"unauthenticated"');
    // The manager that was made, and its end: nothing else.
    expect((await server.changes()) - before).toBe(2);
  });

  test.each(['/v1/keys/verify', '/v1/keys/verify?'])('verifies nothing at %s', async (path) => {
    const answer = await answerAfterRevoke(path, ['keys:verify'], { key: 'x' });
    expect(answer).toContain('"code":"unauthenticated"');
  });
});

test('a management key without the scope is refused on the head, before any body', async () => {
  const { secret } = await issue(server, 'keyswarm', { scopes: ['keyspaces:read'] });
  const connection = await RawConnection.open(server.url);
  await connection.hold('/v1/keys/import', secret, 8_000_000);
  await connection.until('"code":"forbidden"');
  connection.socket.destroy();
});
