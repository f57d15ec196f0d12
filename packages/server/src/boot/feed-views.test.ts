import { createVerifier, type Verifier } from '@keyswarm/verifier';
import { afterAll, afterEach, beforeAll, describe, expect, test, vi } from 'vitest';
import { createPgliteStore } from '../storage/pglite/pglite-store.ts';
import type { Store } from '../storage/store.ts';
import { freshName, issue, makeKeyspace } from './suite/fixtures.ts';
import { shareStore } from './suite/share-store.ts';
import { startTestServer, type TestServer } from './suite/test-server.ts';

/*
 * What a management key may read changes while a verifier follows by it. Positions say nothing of that: a table that
 * went on as before would keep a revoked key for ever, or never hear of one that it may read now.
 */

let store: Store;
let server: TestServer;
const opened: Verifier[] = [];
beforeAll(async () => {
  store = await createPgliteStore();
  server = await startTestServer({ store: shareStore(store) });
}, 30_000);
afterEach(async () => {
  for (const verifier of opened.splice(0)) await verifier.close();
});
afterAll(async () => {
  await server.close();
  await store.close();
});

async function follow(scopes: readonly string[], keyspaces?: readonly string[]) {
  const credential = await issue(server, 'keyswarm', { scopes });
  const verifier = createVerifier({ relays: server.url, credential: credential.secret, keyspaces });
  opened.push(verifier);
  await verifier.ready;
  return {
    verifier,
    credential,
    says: (key: string) => verifier.verify(key).code,
    async rescope(to: readonly string[]) {
      const reply = await server.call('PATCH', `/v1/keys/${credential.id}`, { body: { scopes: to } });
      expect(reply.status, reply.text).toBe(200);
    },
  };
}

const soon = (check: () => void) => vi.waitFor(check, { timeout: 20_000, interval: 5 });

describe('a verifier whose management key may suddenly read', () => {
  test('less, says VALID of nothing that it does not hear of any more', async () => {
    const { name: kept } = await makeKeyspace(server);
    const { name: lost } = await makeKeyspace(server);
    const [ofKept, ofLost] = [await issue(server, kept), await issue(server, lost)];
    const { says, rescope, verifier } = await follow(['feed:read']);
    expect([says(ofKept.secret), says(ofLost.secret)]).toEqual(['valid', 'valid']);
    await rescope([`feed:read:${kept}`]);
    const revoked = await server.post(`/v1/keys/${ofLost.id}/revoke?wait=effective`, {});
    expect(revoked.status, revoked.text).toBe(200);
    await soon(() => expect(says(ofLost.secret)).toBe('unknown'));
    await soon(() => expect(says(ofKept.secret)).toBe('valid'));
    expect((await verifier.verifyFresh(ofLost.secret)).code).toBe('unknown');
    expect((await verifier.verifyFresh(ofKept.secret)).code).toBe('valid');
  });

  test('more, knows the keys that it may read now, without a change of theirs', async () => {
    const { name: first } = await makeKeyspace(server);
    const { name: second } = await makeKeyspace(server);
    const key = await issue(server, second);
    const { says, rescope } = await follow([`feed:read:${first}`]);
    expect(says(key.secret)).toBe('unknown');
    await rescope([`feed:read:${first}`, `feed:read:${second}`]);
    await soon(() => expect(says(key.secret)).toBe('valid'));
    await server.post(`/v1/keys/${key.id}/revoke`, {});
    await soon(() => expect(says(key.secret)).toBe('revoked'));
  });

  test('a keyspace that is made later than it was named, knows its keys, and at once when it asks for the newest', async () => {
    const name = freshName('later');
    const { verifier, says } = await follow([`feed:read:${name}`]);
    await makeKeyspace(server, { name });
    const { secret } = await issue(server, name);
    expect((await verifier.verifyFresh(secret)).code).toBe('valid');
    const other = await follow([`feed:read:${name}`]);
    await soon(() => expect([says(secret), other.says(secret)]).toEqual(['valid', 'valid']));
  });

  test('nothing that it asked for by name, runs out and comes back when it may', async () => {
    const { name } = await makeKeyspace(server, { lease_seconds: 1 });
    const { name: other } = await makeKeyspace(server);
    const key = await issue(server, name);
    const { says, rescope } = await follow(['feed:read'], [name]);
    expect(says(key.secret)).toBe('valid');
    await rescope([`feed:read:${other}`]);
    await soon(() => expect(says(key.secret)).toBe('stale'));
  });
});

describe('rows and streams', () => {
  test('for a table of another view than the key may read now are gone, and an open stream of it ends', async () => {
    const { name: kept } = await makeKeyspace(server);
    const { name: lost } = await makeKeyspace(server);
    const credential = await issue(server, 'keyswarm', { scopes: ['feed:read'] });
    const { id } = await issue(server, lost);
    const leaseOf = async () => {
      const ask = {
        verifier: { id: 'one', name: 'one', kind: 'library' },
        applied: null,
        lease_age_ms: null,
      };
      const reply = await server.post('/v1/feed/lease', ask, { key: credential.secret });
      return reply.body as { epoch: number; seqs: number[]; view: string };
    };
    const { epoch, seqs, view } = await leaseOf();
    const shard = seqs.findIndex((seq) => seq > 0);
    const rowsOf = (asked: string) =>
      server.get(`/v1/feed/rows?epoch=${epoch}&shard=${shard}&after=0&up_to=${seqs[shard]}&view=${asked}`, {
        key: credential.secret,
      });
    expect((await rowsOf(view)).status).toBe(200);
    const stream = await fetch(
      `${server.url}/v1/feed/stream?epoch=${epoch}&after=${seqs.join(',')}&view=${view}`,
      { headers: { authorization: `Bearer ${credential.secret}` } },
    );
    expect(stream.status).toBe(200);
    const scopes = { scopes: [`feed:read:${kept}`] };
    await server.call('PATCH', `/v1/keys/${credential.id}`, { body: scopes });
    expect((await rowsOf(view)).body).toMatchObject({ status: 410, code: 'gone' });
    const now = await leaseOf();
    expect(now.view).not.toBe(view);
    expect((await rowsOf(now.view)).text).not.toContain(id);
    const path = `/v1/feed/stream?epoch=${epoch}&after=${now.seqs.join(',')}&view=${view}`;
    expect((await server.get(path, { key: credential.secret })).status).toBe(410);
    expect(await stream.text()).toContain(`"view":"${view}"`);
  });
});
