import { effectiveByMs } from '@keyswarm/core';
import { type Postgres, startPostgres } from '@keyswarm/harness/postgres';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { Gate, StoreBetween } from '../lanes/testing/test-store.ts';
import { systemClock } from '../runtime/clock.ts';
import { createPostgresStore } from '../storage/postgres/postgres-store.ts';
import { issue, makeKeyspace } from './suite/fixtures.ts';
import { type Reply, startTestServer, type TestServer } from './suite/test-server.ts';

/* What `effective_by` says when the lease was changed a moment ago, by this server or by another. */

let postgres: Postgres;
let here: TestServer;
let there: TestServer;
let storeThere: StoreBetween;
beforeAll(async () => {
  postgres = await startPostgres();
  const databaseUrl = await postgres.createDatabase();
  const config = { databaseUrl, profile: 'single' } as const;
  here = await startTestServer({ store: createPostgresStore({ url: databaseUrl }), config });
  storeThere = new StoreBetween(createPostgresStore({ url: databaseUrl }));
  there = await startTestServer({ store: storeThere, config: { ...config, bootstrapKey: here.rootKey } });
}, 60_000);
afterAll(async () => {
  await Promise.all([here?.close(), there?.close()]);
  await postgres.stop();
});

const asRoot = () => ({ key: here.rootKey });
const setLease = async (server: TestServer, name: string, seconds: number): Promise<void> => {
  const body = { lease_seconds: seconds };
  const reply = await server.call('PATCH', `/v1/keyspaces/${name}`, { ...asRoot(), body });
  expect(reply.status, reply.text).toBe(200);
};
const effectiveBy = (reply: Reply): number => {
  expect(reply.status, reply.text).toBe(200);
  return Date.parse(String(reply.body.effective_by));
};

describe('effective_by', () => {
  test('holds to a lease that was lowered for as long as a verifier may run on it unheard', async () => {
    const { name } = await makeKeyspace(here, { lease_seconds: 60 });
    const { id, owner } = await issue(here, name);
    await setLease(here, name, 2);
    const loweredMs = systemClock.nowMs();
    await setLease(here, name, 1);
    const revoked = effectiveBy(await there.post(`/v1/keys/${id}/revoke`, {}, asRoot()));
    expect(revoked).toBeGreaterThanOrEqual(effectiveByMs(loweredMs, 60_000));
    const suspended = effectiveBy(await there.post(`/v1/owners/${owner}/suspend`, undefined, asRoot()));
    expect(suspended).toBeGreaterThanOrEqual(effectiveByMs(loweredMs, 60_000));
    const shut = effectiveBy(await there.post(`/v1/keyspaces/${name}/suspend`, undefined, asRoot()));
    expect(shut).toBeGreaterThanOrEqual(effectiveByMs(loweredMs, 60_000));
  });

  test('counts with a lease that another server raised while the change was being committed', async () => {
    const { name } = await makeKeyspace(here, { lease_seconds: 1 });
    const { id, owner } = await issue(here, name);
    const changes = [`/v1/keys/${id}/suspend`, `/v1/owners/${owner}/suspend`];
    for (const [round, path] of changes.entries()) {
      const leaseSeconds = 200 + 100 * round;
      const stands = new Gate();
      const raised = new Gate();
      storeThere.beforeCommit = () => {
        stands.open();
        return raised.passed;
      };
      const answer = there.post(path, undefined, asRoot());
      await stands.passed;
      storeThere.beforeCommit = async () => {};
      await setLease(here, name, leaseSeconds);
      const raisedMs = systemClock.nowMs();
      raised.open();
      const boundMs = effectiveByMs(raisedMs, leaseSeconds * 1000);
      expect(effectiveBy(await answer)).toBeGreaterThanOrEqual(boundMs);
    }
  });

  test('is no later than the lease asks for where it was never lowered', async () => {
    const { name } = await makeKeyspace(here, { lease_seconds: 5 });
    const { id } = await issue(here, name);
    const { body } = await here.post(`/v1/keys/${id}/revoke`, {});
    const windowMs = Date.parse(String(body.effective_by)) - Date.parse(String(body.revoked_at));
    expect(windowMs).toBeGreaterThanOrEqual(5_050);
    expect(windowMs).toBeLessThan(15_000);
  });
});
