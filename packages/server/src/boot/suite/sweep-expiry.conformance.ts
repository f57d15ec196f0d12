import type { FeedRow } from '@keyswarm/core';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { sweepExpiry } from '../../keys/sweep-expiry.ts';
import { createLanes, type RunningLanes } from '../../lanes/lanes.ts';
import { Sample } from '../../lanes/testing/sample.ts';
import { expirySweepLagMs, keysPerSweepMax } from '../../limits.ts';
import { systemClock } from '../../runtime/clock.ts';
import { systemTimers } from '../../runtime/timers.ts';
import { createReader } from '../../storage/reader.ts';
import type { Store } from '../../storage/store.ts';

const hourMs = 3_600_000;
const dayMs = 24 * hourMs;

/** What the sweep has to do on every engine. Its clock is the test's own; the store's is not moved. */
export function describeExpirySweep(storeOf: () => Store, shards: number): void {
  let lanes: RunningLanes;
  let sample: Sample;
  let nowMs: number;
  const told: FeedRow[] = [];
  beforeEach(async () => {
    told.splice(0);
    // The test before was in another time.
    await storeOf().query({ name: '', text: "delete from documents where kind = 'note'" });
    sample = new Sample(shards);
    nowMs = systemClock.nowMs();
    lanes = createLanes({
      store: storeOf(),
      shards,
      clock: systemClock,
      timers: systemTimers,
      onCommitted: (rows) => told.push(...rows.filter(({ type }) => type.startsWith('key.expir'))),
    });
    await lanes.submit(sample.createKeyspace());
    await sweep();
    told.splice(0);
  });
  afterEach(() => lanes.drain());

  const ports = () => ({
    lanes,
    reader: createReader(storeOf(), { shards }),
    shards,
    storeClock: { nowMs: async () => nowMs },
  });
  const sweep = (): Promise<number> => sweepExpiry(ports());
  const issue = async (lifeMs: number): Promise<string> => {
    const expiresAtMs = systemClock.nowMs() + lifeMs;
    return (await lanes.submit(sample.issue({ expiresAtMs }))).reply.id;
  };
  const eventsOf = (id: string): readonly string[] =>
    told.filter(({ subject }) => subject === id).map(({ type }) => type);

  describe('the sweep of expiry', () => {
    test('a key is told of before it ends and when it has, once each', async () => {
      const id = await issue(40 * dayMs);
      await sweep();
      expect(eventsOf(id)).toEqual([]);
      nowMs += 34 * dayMs;
      await sweep();
      await sweep();
      expect(eventsOf(id)).toEqual(['key.expiring']);
      nowMs += 6 * dayMs + expirySweepLagMs + hourMs;
      await sweep();
      await sweep();
      expect(eventsOf(id)).toEqual(['key.expiring', 'key.expired']);
    });

    test('a key of a day is told of an hour before, and one of an hour when it has ended', async () => {
      const day = await issue(dayMs);
      const hour = await issue(hourMs);
      nowMs += 23 * hourMs + 60_000;
      await sweep();
      expect([eventsOf(day), eventsOf(hour)]).toEqual([['key.expiring'], ['key.expired']]);
    });

    test('one that is revoked is not told of', async () => {
      const { id } = (await lanes.submit(sample.issue({ expiresAtMs: nowMs + hourMs }))).reply;
      await lanes.submit(sample.revoke(id));
      nowMs += 2 * hourMs;
      await sweep();
      expect(eventsOf(id)).toEqual([]);
    });

    test('two sweeps at once tell of each key once, of more keys than one write takes', async () => {
      const ids = await Promise.all(
        Array.from({ length: keysPerSweepMax + 10 }, async () => {
          const wish = { expiresAtMs: nowMs + hourMs, shard: 1 };
          return (await lanes.submit(sample.issue(wish))).reply.id;
        }),
      );
      nowMs += 2 * hourMs;
      await Promise.all([sweep(), sweep(), sweep()]);
      await sweep();
      expect(ids.map(eventsOf)).toEqual(ids.map(() => ['key.expired']));
    });

    test('a sweep that finds nothing writes nothing', async () => {
      await sweep();
      const before = (
        await storeOf().query({ name: '', text: 'select sum(revision) as sum from documents' })
      )[0];
      nowMs += 60_000;
      await sweep();
      expect(
        (await storeOf().query({ name: '', text: 'select sum(revision) as sum from documents' }))[0],
      ).toEqual(before);
    });
  });
}
