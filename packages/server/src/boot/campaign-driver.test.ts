import { Fault, type KeyRecord, type KeyspaceId, shardOfId } from '@keyswarm/core';
import { createResidentVerifier, systemVerifierClock } from '@keyswarm/verifier';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { LeaseReads } from '../access/lease-reads.ts';
import { defaultWorkspaceId } from '../access/named-ids.ts';
import { lastingManager } from '../access/testing/lasting-manager.ts';
import type { UseCasePorts } from '../access/use-case-ports.ts';
import { CampaignDriver } from '../campaigns/campaign-driver.ts';
import type { CampaignWish } from '../campaigns/campaign-terms.ts';
import { getOneCampaign } from '../campaigns/read-campaigns.ts';
import { startCampaign } from '../campaigns/start-campaign.ts';
import { issueManyKeys } from '../keys/issue-keys.ts';
import { rotateOneKey } from '../keys/rotate-key.ts';
import { createOneKeyspace } from '../keyspaces/change-keyspace.ts';
import { KeyspaceDirectory } from '../keyspaces/keyspace-directory.ts';
import type { Lanes, LaneWrite } from '../lanes/lane-port.ts';
import { createLanes } from '../lanes/lanes.ts';
import { openMemoryStore } from '../lanes/testing/test-store.ts';
import type { VerifyReading } from '../metrics/verify-load.ts';
import { systemClock } from '../runtime/clock.ts';
import { systemRandom } from '../runtime/random.ts';
import { systemTimers } from '../runtime/timers.ts';
import { IdempotencyScope } from '../signing/idempotency.ts';
import { MasterKey } from '../signing/master-key.ts';
import { createReader } from '../storage/reader.ts';
import { createRotationsReader } from '../storage/statements/read-rotations.ts';
import type { Store } from '../storage/store.ts';
import { createStoreClock } from '../storage/store-clock.ts';
import { bootstrap } from '../workspaces/bootstrap.ts';

/* Campaigns worked on by processes that die, race, and are late, over one embedded store. Time goes as fast as it is asked to. */

const shards = 4;
let store: Store;
let count = 0;
/** Added to the clocks of all processes: claims lapse and tokens fill without anybody waiting. */
let aheadMs = 0;
beforeAll(async () => {
  store = await openMemoryStore(shards);
  await bootstrap(process(), undefined);
}, 60_000);
afterAll(() => store.close());

const caller = lastingManager({ workspaceId: defaultWorkspaceId });
const clock = {
  nowMs: () => systemClock.nowMs() + aheadMs,
  monotonicMs: () => systemClock.monotonicMs() + aheadMs,
};

/** A server process: its own lanes, on the store of all. `between` sees every write. */
function process(
  between: (write: LaneWrite<unknown>) => LaneWrite<unknown> = (write) => write,
): UseCasePorts {
  const lanes = createLanes({
    store,
    shards,
    clock: systemClock,
    timers: systemTimers,
    onCommitted: () => {},
  });
  const seen: Lanes = {
    shardForNew: (weight) => lanes.shardForNew(weight),
    submit: <Reply>(write: LaneWrite<Reply>) =>
      lanes.submit(
        between({
          ...write,
          decide: (view, nowMs) => write.decide(view, nowMs + aheadMs),
        } as LaneWrite<unknown>) as LaneWrite<Reply>,
      ),
  };
  const reader = createReader(store, { shards });
  const leases = new LeaseReads(reader);
  const later = <Now extends { nowMs: number }>(now: Now) => ({ ...now, nowMs: now.nowMs + aheadMs });
  return {
    lanes: seen,
    reader,
    verifier: createResidentVerifier({ clock: systemVerifierClock(), shards }),
    clock,
    random: systemRandom,
    keyspaces: new KeyspaceDirectory(reader),
    leases: {
      ofKeyspace: (id) => leases.ofKeyspace(id).then(later),
      ofWorkspace: (id) => leases.ofWorkspace(id).then(later),
    },
    evidence: {
      of: async () => ({ uses: [], unheard: null }),
      unheardIn: async () => null,
      flush: async () => {},
    },
    rotationTimes: { firstUsed() {}, retired() {} },
    rotations: createRotationsReader(store),
    storeClock: createStoreClock(store),
    jobs: { send: async () => {} },
    macKeyOf: () => new Uint8Array(32),
    shards,
  };
}

const quiet: VerifyReading = {
  buckets: new Float64Array(2),
  boundsSeconds: Float64Array.of(0.01),
  failed: 0,
  loop: { activeMs: 0, idleMs: 0 },
};
const driverOf = (ports: UseCasePorts, driverId: string, reading = () => quiet, problems: unknown[] = []) =>
  new CampaignDriver({ ports, driverId, reading, tickMs: 0, onProblem: ({ error }) => problems.push(error) });

async function keyspaceOf(ports: UseCasePorts, keys: number): Promise<{ name: string; id: KeyspaceId }> {
  count += 1;
  const name = `orders-${count}`;
  const made = await createOneKeyspace(
    ports,
    caller,
    { name, prefix: 'orders', allowedScopes: ['*'] },
    undefined,
  );
  for (let from = 0; from < keys; from += 50) {
    const owner = { kind: 'service', externalId: 'billing' } as const;
    const terms = { keyspace: name, owner, name: '', scopes: [], metadata: {} };
    await issueManyKeys(ports, caller, new Array(Math.min(50, keys - from)).fill(terms), undefined);
  }
  return { name, id: made.keyspace.id };
}

const begin = async (
  ports: UseCasePorts,
  keyspace: string,
  more: Partial<CampaignWish> = {},
  idempotency?: IdempotencyScope,
) => {
  const pace = { keysPerSecond: 100 };
  const wish = {
    kind: 'rotate',
    selector: { keyspace },
    confirm: 'all',
    pace,
    holdSeconds: 0,
    ...more,
  } as const;
  return (await startCampaign(ports, caller, wish, idempotency)).campaign.id;
};

const keysOf = (ports: UseCasePorts, keyspaceId: KeyspaceId): Promise<readonly KeyRecord[]> =>
  ports.reader.keys(defaultWorkspaceId, { keyspaceId }, { limit: 1000 }, clock.nowMs());

/** Steps of all of them in turn until the campaign stands where it is wanted; each step is half a second. */
async function drive(
  drivers: readonly CampaignDriver[],
  stands: () => Promise<boolean>,
  stepMs = 500,
): Promise<void> {
  for (let step = 0; step < 400; step += 1) {
    aheadMs += stepMs;
    await Promise.all(drivers.map((driver) => driver.step()));
    if (await stands()) return;
  }
  throw new Error('the campaign did not come to where it was wanted');
}

describe('a campaign', () => {
  test('takes every key once, by whichever of three processes, each of which dies in the middle of a chunk', async () => {
    const ports = process();
    const { name, id: keyspaceId } = await keyspaceOf(ports, 230);
    let writes = 0;
    // Every third chunk is lost: half of them before they were written, half of them after.
    const dying = () =>
      process((write) => {
        if (write.weight <= 1) return write;
        writes += 1;
        if (writes % 3 !== 0) return write;
        const isBefore = writes % 6 !== 0;
        return {
          ...write,
          decide(view, nowMs) {
            if (isBefore) throw new Fault('store_unavailable', { detail: 'killed before it was written' });
            return { ...write.decide(view, nowMs), reply: undefined };
          },
        };
      });
    const problems: unknown[] = [];
    const id = await begin(ports, name);
    const drivers = ['a', 'b', 'c'].map((driverId) => driverOf(dying(), driverId, undefined, problems));
    await drive(drivers, async () => (await getOneCampaign(ports, caller, id)).phase === 'wait', 4000);
    expect(problems.length).toBeGreaterThan(3);
    const keys = await keysOf(ports, keyspaceId);
    expect(keys).toHaveLength(230);
    for (const key of keys) {
      expect(key.traits.campaign).toBe(id);
      // Issued, and asked: one change each, so none was asked twice.
      expect(key.revision).toBe(2);
    }
    expect((await getOneCampaign(ports, caller, id)).totals).toMatchObject({ taken: 230, skipped: 0 });
  });

  test('is worked on by one process at a time, and goes over to another when that is gone', async () => {
    const ports = process();
    const { name } = await keyspaceOf(ports, 60);
    const id = await begin(ports, name, { pace: { keysPerSecond: 1 } });
    const [first, second] = [driverOf(process(), 'first'), driverOf(process(), 'second')];
    const driverNow = async () => (await getOneCampaign(ports, caller, id)).driver;
    await first.step();
    for (let step = 0; step < 5; step += 1) {
      aheadMs += 100;
      await second.step();
      expect(await driverNow()).toBe('first');
    }
    aheadMs += 11_000;
    await second.step();
    expect(await driverNow()).toBe('second');
    await first.step();
    expect(await driverNow()).toBe('second');
  });

  test('holds itself when too many verifications fail after the sample, and says so', async () => {
    const ports = process();
    const { name, id: keyspaceId } = await keyspaceOf(ports, 400);
    const id = await begin(ports, name, { holdSeconds: 30, pace: { keysPerSecond: 400, errorBudget: 0.01 } });
    let answered = 0;
    let failed = 0;
    const driver = driverOf(process(), 'one', () => {
      answered += 1000;
      failed += 50;
      return { ...quiet, buckets: Float64Array.of(answered, 0), failed };
    });
    await drive([driver], async () => (await getOneCampaign(ports, caller, id)).state === 'paused');
    const held = await getOneCampaign(ports, caller, id);
    expect(held).toMatchObject({ pausedBecause: 'error_budget', stage: expect.any(Number) });
    expect(held.stage).toBeLessThan(2);
    const asked = (await keysOf(ports, keyspaceId)).filter(({ traits }) => traits.campaign === id);
    expect(asked.length).toBeGreaterThan(0);
    expect(asked.length).toBeLessThan(100);
  });

  test('revokes at its deadline those that were not renewed, and no other', async () => {
    const ports = process();
    const { name, id: keyspaceId } = await keyspaceOf(ports, 40);
    const deadlineMs = clock.nowMs() + 600_000;
    const id = await begin(ports, name, { deadlineMs, windowSeconds: 1, onDeadline: 'revoke' });
    const driver = driverOf(process(), 'one');
    await drive([driver], async () => (await getOneCampaign(ports, caller, id)).phase === 'wait');
    const keys = await keysOf(ports, keyspaceId);
    for (const key of keys.slice(0, 25)) await rotateOneKey(ports, caller, { id: key.id }, undefined);
    await driver.step();
    expect(await getOneCampaign(ports, caller, id)).toMatchObject({ totals: { renewed: 25, open: 15 } });
    aheadMs += 700_000;
    await drive([driver], async () => (await getOneCampaign(ports, caller, id)).state === 'finished');
    const after = await keysOf(ports, keyspaceId);
    expect(
      after
        .filter(({ state }) => state === 'revoked')
        .map((key) => key.id)
        .sort(),
    ).toEqual(
      keys
        .slice(25)
        .map((key) => key.id)
        .sort(),
    );
    expect((await getOneCampaign(ports, caller, id)).totals).toMatchObject({ enforced: 15 });
  });

  test('is the one that was begun when its request is sent again after its deadline', async () => {
    const ports = process();
    const { name } = await keyspaceOf(ports, 1);
    const deadlineMs = clock.nowMs() + 600_000;
    const request = {
      workspaceId: caller.workspaceId,
      callerId: caller.keyId,
      idempotencyKey: 'campaign-1',
      method: 'POST',
      path: '/v1/campaigns',
      body: { name },
    };
    const scope = new IdempotencyScope(request, new MasterKey(new Uint8Array(32)), systemRandom);
    const send = () => begin(ports, name, { deadlineMs, windowSeconds: 1 }, scope);
    const id = await send();
    aheadMs += 700_000;
    expect(await send()).toBe(id);
    await expect(begin(ports, name, { deadlineMs })).rejects.toMatchObject({ field: '/deadline' });
  });

  test('keeps to its pace, whatever the shards and the processes', async () => {
    const ports = process();
    const { name, id: keyspaceId } = await keyspaceOf(ports, 300);
    await begin(ports, name, { pace: { keysPerSecond: 20 } });
    const drivers = ['a', 'b'].map((driverId) => driverOf(process(), driverId));
    const beganMs = clock.monotonicMs();
    for (let step = 0; step < 12; step += 1) {
      aheadMs += 300;
      await Promise.all(drivers.map((driver) => driver.step()));
    }
    const keys = await keysOf(ports, keyspaceId);
    const asked = keys.filter(({ traits }) => traits.campaign !== undefined);
    expect(asked.length).toBeGreaterThan(20);
    // A second's worth may have been saved up.
    expect(asked.length).toBeLessThanOrEqual(20 + (20 * (clock.monotonicMs() - beganMs)) / 1000);
    expect(new Set(asked.map((key) => shardOfId(key.id, shards))).size).toBeGreaterThan(1);
  });
});
