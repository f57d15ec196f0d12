import { type FeedRow, mintKeyString } from '@keyswarm/core';
import { type Postgres, startPostgres } from '@keyswarm/harness/postgres';
import {
  createResidentVerifier,
  fingerprintOf,
  startFollower,
  systemVerifierClock,
} from '@keyswarm/verifier';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { createLanes } from '../lanes/lanes.ts';
import { Sample } from '../lanes/testing/sample.ts';
import { Gate, openServerStore, StoreBetween } from '../lanes/testing/test-store.ts';
import { untilBlocked } from '../lanes/testing/until-blocked.ts';
import { systemClock } from '../runtime/clock.ts';
import { systemRandom } from '../runtime/random.ts';
import { systemTimers } from '../runtime/timers.ts';
import { dayAt, listDays } from '../storage/statements/feed-partitions.ts';
import type { Store } from '../storage/store.ts';
import { feedConformance } from './feed.conformance.ts';
import { createFeedSource } from './feed-source.ts';
import {
  type HeldCommit,
  PromiseBroken,
  seesAllUnderManyWriters,
  seesARowThatCommitsLate,
} from './testing/feed-promises.ts';
import { houseFeed, sequenceLog } from './testing/logs.ts';
import { runUpkeep } from './upkeep.ts';

const shards = 4;
let postgres: Postgres;
beforeAll(async () => {
  postgres = await startPostgres();
});
afterAll(() => postgres.stop());

describe('the feed over PostgreSQL', () => {
  feedConformance(async () => openServerStore(await postgres.createDatabase(), shards), shards);
});

describe('the feed under several writing processes', () => {
  const stores: Store[] = [];
  let url: string;
  let sample: Sample;

  const open = async (): Promise<Store> => {
    const store = await openServerStore(url, shards);
    stores.push(store);
    return store;
  };

  beforeEach(async () => {
    url = await postgres.createDatabase();
    sample = new Sample(shards);
    const store = await open();
    const lanes = createLanes({
      store,
      shards,
      clock: systemClock,
      timers: systemTimers,
      onCommitted: () => {},
    });
    await lanes.submit(sample.createKeyspace());
  });
  afterEach(async () => {
    await Promise.all(stores.splice(0).map((store) => store.close()));
  });

  const holdCommit = async (): Promise<HeldCommit> => {
    const watcher = await open();
    const held = new StoreBetween(await open());
    const stands = new Gate();
    const gate = new Gate();
    held.beforeCommit = () => {
      stands.open();
      return gate.passed;
    };
    return {
      held,
      other: await open(),
      reader: await open(),
      stands: stands.passed,
      release: gate.open,
      untilBlocked: () => untilBlocked(watcher),
    };
  };

  test('a reader that polls meanwhile misses nothing and sees nothing twice', async () => {
    const idle = new Gate();
    const idling = (await open()).transaction(async (tx) => {
      // With a transaction number of its own, as a forgotten session has it.
      await tx.query({ name: '', text: 'create temporary table idle (n integer)' });
      await idle.passed;
    });
    const writers = [await open(), await open(), await open()];
    await seesAllUnderManyWriters(houseFeed(sample), { writers, reader: await open() }, 40);
    idle.open();
    await idling;
  });

  test('a row that commits late is seen', async () => {
    await seesARowThatCommitsLate(houseFeed(sample), await holdCommit());
  });

  test('what one process acknowledged, another knows once it has caught up', async () => {
    const startProcess = async () => {
      const store = await open();
      const clock = systemVerifierClock();
      const verifier = createResidentVerifier({ clock, shards });
      const source = createFeedSource(store, { shards });
      const follower = startFollower({ source, verifier, clock, timers: systemTimers, random: systemRandom });
      const onCommitted = (rows: readonly FeedRow[]) => follower.applyCommitted(rows);
      const lanes = createLanes({ store, shards, clock: systemClock, timers: systemTimers, onCommitted });
      await follower.ready;
      return { lanes, follower, verify: (key: string) => verifier.verify(key, {}).code };
    };
    const here = await startProcess();
    const there = await startProcess();
    for (let round = 0; round < 10; round += 1) {
      const text = mintKeyString('orders_live', (count) => systemRandom.bytes(count));
      const { reply } = await here.lanes.submit(sample.issue({ fingerprint: fingerprintOf(text) }));
      expect(here.verify(text)).toBe('valid');
      await there.follower.catchUp();
      expect(there.verify(text)).toBe('valid');
      await there.lanes.submit(sample.revoke(reply.id));
      expect(there.verify(text)).toBe('revoked');
      await here.follower.catchUp();
      expect(here.verify(text)).toBe('revoked');
    }
    await Promise.all([here.follower.stop(), there.follower.stop()]);
  });

  test('a day that a long read holds is dropped later, and writes do not wait for it', async () => {
    const store = await open();
    const dayMs = 86_400_000;
    const tomorrow = dayAt(systemClock.nowMs(), 1);
    const at = (days: number) => ({ nowMs: async () => systemClock.nowMs() + days * dayMs });
    expect(await runUpkeep({ store, shards, storeClock: at(1) })).toEqual([]);
    const reading = new Gate();
    const gate = new Gate();
    const read = (await open()).transaction(async (tx) => {
      await tx.query({ name: '', text: 'select count(*) from feed' });
      reading.open();
      await gate.passed;
    });
    await reading.passed;
    const problems = await runUpkeep({ store, shards, storeClock: at(6), daysAhead: -1, lockMsMax: 100 });
    expect(problems).toMatchObject([{ step: `drop day ${tomorrow}`, error: { code: 'overloaded' } }]);
    const lanes = createLanes({
      store,
      shards,
      clock: systemClock,
      timers: systemTimers,
      onCommitted: () => {},
    });
    await lanes.submit(sample.issue());
    gate.open();
    await read;
    expect(await runUpkeep({ store, shards, storeClock: at(6) })).toEqual([]);
    expect(await listDays(store)).not.toContain(tomorrow);
  });

  test('the planted bug is caught: numbers of a sequence, read by `id > last`, lose a row', async () => {
    await expect(seesARowThatCommitsLate(sequenceLog, await holdCommit())).rejects.toThrow(
      new PromiseBroken('1 committed rows were never seen'),
    );
  });
});
