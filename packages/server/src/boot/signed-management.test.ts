import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { createPgliteStore } from '../storage/pglite/pglite-store.ts';
import { issue, makeKeyspace, problemOf, terms, verdictOf } from './suite/fixtures.ts';
import { shareStore } from './suite/share-store.ts';
import { macSigner, newPair, signatureOf, type TestSigner } from './suite/sign-request.ts';
import { publicUrl, startTestServer, type TestServer } from './suite/test-server.ts';

/* What was made on one server, on another one that loads it from the store and wants management calls signed. */

const masterKey = Buffer.alloc(32, 7).toString('base64');
const access = { method: 'GET', url: 'https://orders.example/' };

let strict: TestServer;
let nextMaster: TestServer;
let bare: { secret: string };
let mac: TestSigner;
let pair: TestSigner;
let manager: TestSigner;
beforeAll(async () => {
  const store = await createPgliteStore();
  const first = await startTestServer({ store: shareStore(store) });
  const { id: keyspace } = await makeKeyspace(first, { proof: 'signature' });
  const macKey = await issue(first, keyspace);
  bare = macKey;
  mac = macSigner(`${macKey.id}.1`, macKey.secret);
  const { proof, signerFor } = newPair();
  const made = await first.post('/v1/keys', terms(keyspace, { proof }));
  pair = signerFor(`${made.body.id}.1`);
  const managing = await issue(first, 'keyswarm', { scopes: ['keyspaces:read', 'keys:verify'] });
  manager = macSigner(`${managing.id}.1`, managing.secret);
  await first.close();
  strict = await startTestServer({
    store: shareStore(store),
    config: { requireSignedManagement: true },
  });
  const previous = { masterKey: Buffer.alloc(32, 8).toString('base64'), previousMasterKey: masterKey };
  nextMaster = await startTestServer({ store, config: previous });
}, 60_000);
afterAll(async () => {
  await strict?.close();
  await nextMaster?.close();
});

const ask = async (server: TestServer, signer: TestSigner) => {
  const headers = Object.entries(signatureOf(signer, access)).map(([name, value]) => ({ name, value }));
  return (await server.post('/v1/keys/verify', { request: { ...access, headers } })).body;
};

describe('a server that loads what signs from its store', () => {
  test('takes what both kinds of keys sign, and no bare key of a keyspace that wants signatures', async () => {
    expect(await ask(strict, mac)).toMatchObject({ valid: true, version: 1 });
    expect(await ask(strict, pair)).toMatchObject({ valid: true, version: 1 });
    expect(await verdictOf(strict, bare.secret)).toBe('signature_required');
  });

  test('opens what was sealed under the master key of before', async () => {
    expect(await ask(nextMaster, mac)).toMatchObject({ valid: true });
  });
});

describe('where management has to be signed', () => {
  const list = (headers: Record<string, string>) => strict.get('/v1/keyspaces', { key: null, headers });
  const url = `${publicUrl}/v1/keyspaces`;

  test('a bare management key is refused, however much it may do, and verification goes on with one', async () => {
    expect(problemOf(await strict.get('/v1/keyspaces'))).toEqual({
      code: 'unauthenticated',
      field: 'Signature',
      status: 401,
    });
    const before = await strict.changes();
    expect((await strict.post('/v1/keys', terms('keyswarm'))).status).toBe(401);
    expect(await strict.changes()).toBe(before);
    expect(await verdictOf(strict, 'x')).toBe('malformed');
  });

  test('a signature of the same key is enough, for the URL that clients use and no other', async () => {
    const reply = await list(signatureOf(manager, { method: 'GET', url }));
    expect(reply.status, reply.text).toBe(200);
    const elsewhere = signatureOf(manager, { method: 'GET', url: `${strict.url}/v1/keyspaces` });
    expect((await list(elsewhere)).status).toBe(401);
  });

  test('a key of an access point manages nothing by its signature', async () => {
    expect((await list(signatureOf(pair, { method: 'GET', url }))).status).toBe(401);
  });
});
