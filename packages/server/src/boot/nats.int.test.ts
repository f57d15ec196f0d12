import { Secret } from '@keyswarm/core';
import { leavesOut } from '@keyswarm/harness/leaves-out';
import { findNats, type NatsCluster, startNatsCluster } from '@keyswarm/harness/nats';
import { type Postgres, startPostgres } from '@keyswarm/harness/postgres';
import { createNatsFeedSource, NatsLink } from '@keyswarm/nats';
import { createVerifier, type Verifier } from '@keyswarm/verifier';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { createLog } from '../logging/log.ts';
import { systemRandom } from '../runtime/random.ts';
import { systemTimers } from '../runtime/timers.ts';
import { createPostgresStore } from '../storage/postgres/postgres-store.ts';
import { nodeConfigWith } from '../verify-node/load-node-config.ts';
import { startVerifyNode } from '../verify-node/start-node.ts';
import { issue, makeKeyspace, manager } from './suite/fixtures.ts';
import { startTestServer, type TestServer } from './suite/test-server.ts';

/* Two servers on one store and one broker, and a verifier that follows by way of the broker. */

const { missing } = findNats();

describe.skipIf(leavesOut(missing))('servers at a broker', () => {
  let postgres: Postgres;
  let cluster: NatsCluster;
  let here: TestServer;
  let there: TestServer;
  let verifier: Verifier;
  let stats: () => { readonly received: number; readonly leasesByNats: number };
  let credential: string;

  beforeAll(async () => {
    [postgres, cluster] = await Promise.all([startPostgres(), startNatsCluster({ nodes: 1 })]);
    const url = await postgres.createDatabase();
    const config = { databaseUrl: url, profile: 'single' as const, natsServers: cluster.urls.join() };
    here = await startTestServer({ store: createPostgresStore({ url }), config });
    const root = { bootstrapKey: here.rootKey };
    there = await startTestServer({ store: createPostgresStore({ url }), config: { ...config, ...root } });
    credential = await manager(here, ['feed:read']);
    verifier = createVerifier({
      relays: here.url,
      credential,
      beside: (fallback, terms) => {
        const link = new NatsLink({
          servers: cluster.urls,
          name: 'verifier',
          timers: systemTimers,
          random: systemRandom,
        });
        const source = createNatsFeedSource({
          link,
          fallback,
          timers: systemTimers,
          credential: new Secret(credential),
          identity: () => ({ verifier: terms.identity, downstream: [] }),
        });
        stats = () => source.stats;
        return { source, close: () => void link.close() };
      },
    });
    await verifier.ready;
  });
  afterAll(async () => {
    await verifier?.close();
    await there?.close();
    await here?.close();
    await cluster?.stop();
    await postgres?.stop();
  });

  test('push what either of them commits, and renew its lease with its own credential', async () => {
    const before = stats();
    for (const server of [here, there]) {
      const { received } = stats();
      const { name } = await makeKeyspace(server, {}, { key: here.rootKey });
      const { secret } = await issue(server, name, {}, { key: here.rootKey });
      await expect.poll(() => stats().received, { timeout: 10_000 }).toBeGreaterThan(received);
      await expect
        .poll(() => verifier.verify(secret, { keyspace: name }).code, { timeout: 10_000 })
        .toBe('valid');
    }
    await expect
      .poll(() => stats().leasesByNats, { timeout: 10_000 })
      .toBeGreaterThan(before.leasesByNats + 3);
    expect(verifier.state).toBe('fresh');
  });

  test('count the verifier that asks over the broker when a change is called effective', async () => {
    const { name } = await makeKeyspace(here);
    for (const server of [here, there]) {
      const { id, secret } = await issue(here, name);
      await expect
        .poll(() => verifier.verify(secret, { keyspace: name }).code, { timeout: 10_000 })
        .toBe('valid');
      const reply = await server.post(`/v1/keys/${id}/revoke?wait=effective`, {}, { key: here.rootKey });
      const { effective } = reply.body as { effective: { verifiers: number; laggards: object[] } };
      expect([reply.status, effective.laggards]).toEqual([200, []]);
      expect(effective.verifiers).toBeGreaterThanOrEqual(3);
      expect(verifier.verify(secret, { keyspace: name }).code).toBe('revoked');
    }
  });

  test('bring changes to a verify-only node that knows the broker', async () => {
    const lines: string[] = [];
    const log = createLog('debug', { write: (line) => void lines.push(line) });
    const settings = nodeConfigWith({
      relays: here.url,
      port: 0,
      name: 'node at the broker',
      natsServers: cluster.urls.join(),
    });
    const node = await startVerifyNode(settings, { log, credential: new Secret(credential) });
    try {
      await node.ready;
      await expect.poll(() => lines.join(''), { timeout: 10_000 }).toContain('connected to the broker');
      const listed = async () => {
        const { items } = (await there.get('/v1/verifiers', { key: here.rootKey })).body as {
          items: { name: string; state: string }[];
        };
        return items.filter(({ name }) => name === 'node at the broker').map(({ state }) => state);
      };
      await expect.poll(listed, { timeout: 10_000 }).toContain('leased');
      expect(lines.join('')).not.toContain(credential);
    } finally {
      await node.close();
    }
  });

  test('refuse a credential over the broker as they do over HTTP', async () => {
    const link = new NatsLink({
      servers: cluster.urls,
      name: 'stranger',
      timers: systemTimers,
      random: systemRandom,
    });
    const away = () => Promise.reject(new Error('no relay'));
    const source = createNatsFeedSource({
      link,
      fallback: { lease: away, rows: away, snapshot: away },
      timers: systemTimers,
      credential: new Secret('keyswarm_wrong'),
      identity: () => ({ verifier: { id: 'stranger', name: 'stranger', kind: 'library' }, downstream: [] }),
    });
    const ask = { applied: undefined, leaseAgeMs: undefined, fresh: true };
    try {
      await expect.poll(() => link.connection !== undefined).toBe(true);
      await expect(source.lease(ask, AbortSignal.timeout(5_000))).rejects.toThrow('no relay');
      expect(source.stats.leasesByNats).toBe(0);
    } finally {
      await link.close();
    }
  });
});
