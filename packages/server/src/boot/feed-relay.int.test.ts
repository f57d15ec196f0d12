import { type Postgres, startPostgres } from '@keyswarm/harness/postgres';
import { createVerifier, type Verifier } from '@keyswarm/verifier';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { Gate, StoreBetween } from '../lanes/testing/test-store.ts';
import { createPostgresStore } from '../storage/postgres/postgres-store.ts';
import { issue, makeKeyspace, manager } from './suite/fixtures.ts';
import { startTestServer, type TestServer } from './suite/test-server.ts';

/* Two servers on one PostgreSQL, with verifiers elsewhere that follow the one or the other. */

let postgres: Postgres;
let here: TestServer;
let there: TestServer;
let storeThere: StoreBetween;
let credential: string;
const verifiers: Verifier[] = [];

beforeAll(async () => {
  postgres = await startPostgres();
  const databaseUrl = await postgres.createDatabase();
  const config = { databaseUrl, profile: 'single' } as const;
  here = await startTestServer({ store: createPostgresStore({ url: databaseUrl }), config });
  storeThere = new StoreBetween(createPostgresStore({ url: databaseUrl }));
  there = await startTestServer({ store: storeThere, config: { ...config, bootstrapKey: here.rootKey } });
  credential = await manager(here, ['feed:read']);
}, 60_000);
afterEach(async () => {
  await Promise.all(verifiers.splice(0).map((verifier) => verifier.close()));
});
afterAll(async () => {
  await Promise.all([here?.close(), there?.close()]);
  await postgres.stop();
});

const asRoot = () => ({ key: here.rootKey });
const follow = async (server: TestServer, name: string): Promise<Verifier> => {
  const verifier = createVerifier({ relays: server.url, credential, name });
  verifiers.push(verifier);
  await verifier.ready;
  return verifier;
};

interface Effective {
  readonly at: string;
  readonly verifiers: number;
  readonly laggards: readonly { readonly id: string; readonly name: string }[];
}
const revokeAndWait = async (server: TestServer, id: string) => {
  const reply = await server.post(`/v1/keys/${id}/revoke?wait=effective`, {}, asRoot());
  expect(reply.status, reply.text).toBe(200);
  const { effective, effective_by } = reply.body as { effective: Effective; effective_by: string };
  return { effective, byMs: Date.parse(effective_by) };
};

/** A verifier that asks once, and says that it stands nowhere in particular. */
const askOnce = (server: TestServer, id: string, applied: object | null = null) =>
  server.post(
    '/v1/feed/lease',
    { verifier: { id, name: id, kind: 'library' }, applied, lease_age_ms: applied === null ? null : 5 },
    { key: credential },
  );

describe('a change that is waited for', () => {
  test('is known to every verifier of both servers when it is called effective', async () => {
    const { name } = await makeKeyspace(here);
    const followers = [
      await follow(here, 'near'),
      await follow(here, 'near too'),
      await follow(there, 'far'),
    ];
    const { id, secret } = await issue(here, name);
    for (const server of [here, there]) {
      const key = server === here ? { id, secret } : await issue(here, name);
      for (const verifier of followers) {
        expect((await verifier.verifyFresh(key.secret, { keyspace: name })).code).toBe('valid');
      }
      const { effective, byMs } = await revokeAndWait(server, key.id);
      expect(effective.laggards).toEqual([]);
      expect(effective.verifiers).toBeGreaterThanOrEqual(5);
      expect(Date.parse(effective.at)).toBeLessThan(byMs);
      for (const verifier of followers) {
        expect(verifier.verify(key.secret, { keyspace: name }).code).toBe('revoked');
      }
    }
  });

  test('names at the bound who has not said that it knows, whichever server it asks', async () => {
    const { name } = await makeKeyspace(here, { lease_seconds: 1 });
    const { id } = await issue(here, name);
    const { epoch, seqs } = (await askOnce(there, 'silent-one')).body as { epoch: number; seqs: number[] };
    expect((await askOnce(there, 'silent-one', { epoch, seqs: seqs.map(() => 0) })).status).toBe(200);
    const { effective, byMs } = await revokeAndWait(here, id);
    expect(effective.laggards.map((one) => one.name)).toContain('silent-one');
    expect(Date.parse(effective.at)).toBeGreaterThanOrEqual(byMs);
  });
});

describe('a lease', () => {
  test('is granted only once its asker is registered, with heads that are read after that', async () => {
    const gate = new Gate();
    const { promise: held, resolve } = Promise.withResolvers<void>();
    // Nothing but the registry is written there.
    storeThere.beforeCommit = async () => {
      resolve();
      await gate.passed;
    };
    let answered = false;
    const asked = askOnce(there, 'held-one').finally(() => {
      answered = true;
    });
    await held;
    await there.get('/healthz');
    await makeKeyspace(here);
    const changes = await here.changes();
    expect(answered).toBe(false);
    storeThere.beforeCommit = async () => {};
    gate.open();
    const { status, body } = await asked;
    expect(status).toBe(200);
    expect((body.seqs as number[]).reduce((sum, seq) => sum + seq, 0)).toBeGreaterThanOrEqual(changes);
  });

  test('is refused while its asker can not be registered, and what was granted lives on', async () => {
    const { name } = await makeKeyspace(here);
    const { secret } = await issue(here, name);
    const verifier = await follow(there, 'cut off');
    expect((await verifier.verifyFresh(secret, { keyspace: name })).code).toBe('valid');
    storeThere.beforeCommit = () => Promise.reject(new Error('read only'));
    try {
      const refused = await askOnce(there, 'late-one');
      expect(refused.status).toBe(503);
      expect(refused.body.code).toBe('stale');
      expect(verifier.verify(secret, { keyspace: name }).code).toBe('valid');
    } finally {
      storeThere.beforeCommit = async () => {};
    }
    await expect.poll(async () => (await askOnce(there, 'late-one')).status).toBe(200);
  });
});

describe('the list of verifiers', () => {
  test('shows who they are, where, and that they keep up, from either server', async () => {
    await follow(here, 'listed near');
    await follow(there, 'listed far');
    for (const server of [here, there]) {
      await expect
        .poll(async () => {
          const { items } = (await server.get('/v1/verifiers', asRoot())).body as {
            items: { name: string; state: string; kind: string; relay: object }[];
          };
          return items
            .filter(({ name }) => name.startsWith('listed'))
            .map(({ name, state }) => `${name} ${state}`);
        })
        .toEqual(['listed far leased', 'listed near leased']);
    }
  });
});
