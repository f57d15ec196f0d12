import { createVerifier, type Verifier } from '@keyswarm/verifier';
import { decodeProtectedHeader } from 'jose';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { createPgliteStore } from '../storage/pglite/pglite-store.ts';
import { issue, makeKeyspace } from './suite/fixtures.ts';
import { startTestServer, type TestServer } from './suite/test-server.ts';
import { derive, makeTokenKeyspace } from './suite/token-fixtures.ts';

/* Four verifiers in services of their own, which have seen the store only through the feed. */

let server: TestServer;
let verifiers: readonly Verifier[] = [];
beforeAll(async () => {
  server = await startTestServer({ store: await createPgliteStore() });
  verifiers = Array.from({ length: 4 }, () =>
    createVerifier({ relays: server.url, credential: server.rootKey, name: 'afar' }),
  );
  await Promise.all(verifiers.map(({ ready }) => ready));
}, 30_000);
afterAll(async () => {
  for (const verifier of verifiers) await verifier.close();
  await server.close();
});

const said = (token: string) =>
  Promise.all(verifiers.map(async (one) => (await one.verifyFresh(token)).code));
const saidNow = (token: string) => verifiers.map((one) => one.verify(token).code);
const all = (code: string) => verifiers.map(() => code);

describe('verifiers elsewhere', () => {
  test('know a token, a token derived of it and the key that signed them, by the feed alone', async () => {
    const keyspace = await makeTokenKeyspace(server);
    const { secret } = await issue(server, keyspace.name);
    const derived = await derive(server, secret);
    expect(await said(secret)).toEqual(all('valid'));
    expect(await said(derived)).toEqual(all('valid'));
  });

  test('refuse a derived token once the revocation of its key is said to be effective, without another look', async () => {
    const keyspace = await makeKeyspace(server);
    const { id, secret } = await issue(server, keyspace.name);
    const derived = await derive(server, secret);
    expect(await said(derived)).toEqual(all('valid'));
    const reply = await server.post(`/v1/keys/${id}/revoke?wait=effective`, {});
    expect(reply.body.effective).toMatchObject({ laggards: [] });
    expect(saidNow(derived)).toEqual(all('revoked'));
  });

  test('refuse all that a leaked key signed, and nothing of the one after it, while tokens are made all the time', async () => {
    const keyspace = await makeTokenKeyspace(server);
    const old = await issue(server, keyspace.name);
    expect(await said(old.secret)).toEqual(all('valid'));
    const kid = decodeProtectedHeader(old.secret).kid;
    const made: string[] = [];
    let goesOn = true;
    const making = (async () => {
      while (goesOn) made.push((await issue(server, keyspace.name)).secret);
    })();
    const reply = await server.post(`/v1/signing-keys/${kid}/revoke`, {});
    expect(reply.status, reply.text).toBe(200);
    const before = made.length;
    expect(await said(old.secret)).toEqual(all('revoked'));
    while (made.length < before + 10) await new Promise((turn) => setImmediate(turn));
    goesOn = false;
    await making;
    for (const token of made) {
      const isOld = decodeProtectedHeader(token).kid === kid;
      expect(await said(token)).toEqual(all(isOld ? 'revoked' : 'valid'));
    }
    expect(made.slice(before + 1).every((token) => decodeProtectedHeader(token).kid !== kid)).toBe(true);
  });

  test('answer a flood of unknown signing keys with a bounded number of reads', async () => {
    const { secret } = await issue(server, (await makeTokenKeyspace(server)).name);
    const [, claims, signature] = secret.split('.');
    const forged = Array.from({ length: 500 }, (_, at) => {
      const kid = `sk_01arz3ndektsv4rrffq69${String(at).padStart(5, '0')}`;
      const header = Buffer.from(JSON.stringify({ alg: 'EdDSA', typ: 'at+jwt', kid })).toString('base64url');
      return `${header}.${claims}.${signature}`;
    });
    const [one] = verifiers;
    if (one === undefined) throw new Error('there are four');
    const before = one.stats().leaseAnswers;
    const answers = await Promise.all(forged.map(async (token) => (await one.verifyFresh(token)).code));
    expect(new Set(answers)).toEqual(new Set(['unknown']));
    expect(one.stats().leaseAnswers - before).toBeLessThan(20);
  });
});
