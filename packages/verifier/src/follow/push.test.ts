import { type FeedRow, leaseDriftRatio } from '@keyswarm/core';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { FeedListener, FeedStretch } from '../feed/feed-source.ts';
import { aheadRowsMax, deafRoundsMax, pushGraceMs } from '../limits.ts';
import { FollowerBench } from './testing/follower-bench.ts';

const leaseMs = 30_000;

describe('what is pushed', () => {
  let bench: FollowerBench;
  let listeners: FeedListener[];
  let closed: number;
  beforeEach(() => {
    bench = new FollowerBench();
    listeners = [];
    closed = 0;
    Object.assign(bench.feed, {
      subscribe: (_from: unknown, listener: FeedListener) => {
        listeners.push(listener);
        return { close: () => (closed += 1) };
      },
    });
  });
  afterEach(async () => {
    bench.feed.before = async () => {};
    await bench.follower?.stop();
  });
  const push = (...rows: readonly FeedRow[]) => {
    for (const row of rows) listeners.at(-1)?.stretch(stretchOf(row));
  };
  const turns = async () => {
    for (let turn = 0; turn < 10; turn += 1) await new Promise(setImmediate);
  };

  test('is applied as it comes, without a read', async () => {
    const follower = bench.start();
    await follower.ready;
    const { key, row } = bench.issue(1);
    const reads = bench.feed.calls.rows;
    push(row);
    expect(bench.verify(key)).toBe('valid');
    push(bench.change(key, 'revoked'));
    expect(bench.verify(key)).toBe('revoked');
    expect(bench.feed.calls.rows).toBe(reads);
  });

  test('waits for what is missing before it, and is then applied in order', async () => {
    const follower = bench.start();
    await follower.ready;
    const issued = [1, 1, 1].map((shard) => bench.issue(shard));
    const [first, second, third] = issued.map(({ row }) => row);
    if (first === undefined || second === undefined || third === undefined)
      throw new Error('three were issued');
    push(third, second, second);
    expect(bench.verifier.applied().seqs[1]).toBe(0);
    push(first, third);
    expect(bench.verifier.applied().seqs[1]).toBe(3);
    for (const { key } of issued) expect(bench.verify(key)).toBe('valid');
  });

  test('that runs far ahead of a hole is let go at a bound, and read instead', async () => {
    const follower = bench.start();
    await follower.ready;
    const rows = Array.from({ length: aheadRowsMax + 2 }, () => bench.issue(1).row);
    push(...rows.slice(1));
    const [first] = rows;
    if (first === undefined) throw new Error('rows were issued');
    push(first);
    // Only the last was kept, and it does not go on from the first.
    expect(bench.verifier.applied().seqs[1]).toBe(1);
    const caughtUp = follower.catchUp();
    await turns();
    bench.timers.fire(pushGraceMs);
    await caughtUp;
    expect(bench.verifier.applied().seqs[1]).toBe(rows.length);
  });

  test('renews no lease, however much of it comes', async () => {
    const follower = bench.start();
    await follower.ready;
    const { key, row } = bench.issue(1);
    push(row);
    bench.feed.before = () => Promise.reject(new Error('away'));
    for (let round = 0; round < 40; round += 1) {
      bench.clock.advance(leaseMs / 30);
      push(bench.issue(1).row);
      listeners.at(-1)?.wanted();
      await turns();
    }
    expect(bench.verify(key)).toBe('stale');
  });

  test('is given a moment to bring what an answer says is there, and read after that', async () => {
    const follower = bench.start();
    await follower.ready;
    const { key, row } = bench.issue(1);
    const reads = bench.feed.calls.rows;
    const brought = follower.catchUp();
    await turns();
    push(row);
    await brought;
    expect(bench.feed.calls.rows).toBe(reads);
    bench.change(key, 'revoked');
    const lost = follower.catchUp();
    await turns();
    bench.timers.fire(pushGraceMs);
    await lost;
    expect(bench.verify(key)).toBe('revoked');
  });

  test('that brings nothing, round after round, is taken for deaf and asked for anew', async () => {
    const follower = bench.start();
    await follower.ready;
    expect(listeners).toHaveLength(1);
    for (let round = 0; round < deafRoundsMax; round += 1) {
      bench.issue(1);
      const caughtUp = follower.catchUp();
      await turns();
      bench.timers.fire(pushGraceMs);
      await caughtUp;
    }
    expect([listeners.length, closed, follower.pushRecreations]).toEqual([2, 1, 1]);
  });

  test('by a subscription that was given up is not heard', async () => {
    const follower = bench.start();
    await follower.ready;
    bench.feed.epoch = 2;
    bench.issue(1);
    await follower.catchUp();
    expect(listeners).toHaveLength(2);
    const { row } = bench.issue(1);
    listeners[0]?.stretch(stretchOf(row));
    expect(bench.verifier.applied().seqs[1]).toBe(1);
    push(row);
    expect(bench.verifier.applied().seqs[1]).toBe(2);
  });

  test('is asked for again by the next round when it has ended', async () => {
    const follower = bench.start();
    await follower.ready;
    listeners[0]?.ended(new Error('closed'));
    await follower.catchUp();
    expect(listeners).toHaveLength(2);
  });

  test('that somebody waits to hear of our position, makes it told at once', async () => {
    const follower = bench.start();
    await follower.ready;
    const asks = bench.feed.calls.heads;
    listeners[0]?.wanted();
    await turns();
    expect(bench.feed.calls.heads).toBe(asks + 1);
  });
});

describe('an answer', () => {
  test('with an age renews the lease by that much less', async () => {
    const bench = new FollowerBench();
    const follower = bench.start();
    await follower.ready;
    bench.clock.advance(5000);
    bench.feed.answer = { ageMs: 1500, fromPrimary: false };
    await follower.catchUp();
    expect(bench.verifier.stats().leaseAgeMs).toBeCloseTo(1500 * (1 + leaseDriftRatio), 0);
    await follower.stop();
  });

  test.each([-1, Number.NaN])('that says it is %s ms old renews nothing', async (ageMs) => {
    const bench = new FollowerBench();
    const follower = bench.start();
    await follower.ready;
    bench.clock.advance(1000);
    bench.feed.answer = { ageMs };
    follower.wake();
    for (let turn = 0; turn < 10; turn += 1) await new Promise(setImmediate);
    expect(follower.state).toMatchObject({ kind: 'unreachable' });
    expect(bench.verifier.stats().leaseAgeMs).toBeCloseTo(1000, 0);
    await follower.stop();
  });

  test('of an older epoch is taken for nothing: no renewal, no reload', async () => {
    const bench = new FollowerBench();
    const { key } = bench.issue(1);
    const follower = bench.start();
    await follower.ready;
    bench.clock.advance(1000);
    bench.feed.answer = { epoch: 0 };
    follower.wake();
    for (let turn = 0; turn < 10; turn += 1) await new Promise(setImmediate);
    expect(follower.state).toMatchObject({ kind: 'unreachable', error: { name: 'OlderEpoch' } });
    expect(bench.verifier.stats().leaseAgeMs).toBeCloseTo(1000, 0);
    expect(bench.verify(key)).toBe('valid');
    expect(bench.feed.calls.snapshot).toBe(1);
    await follower.stop();
  });

  test('of a relay that is behind us is no reason to reload, and of the primary it is', async () => {
    const bench = new FollowerBench();
    bench.issue(1);
    const follower = bench.start();
    await follower.ready;
    bench.feed.answer = { seqs: [1, 0, 0, 0], fromPrimary: false, ageMs: 10 };
    await follower.catchUp();
    expect(bench.feed.calls.snapshot).toBe(1);
    bench.feed.answer = { seqs: [1, 0, 0, 0] };
    follower.wake();
    for (let turn = 0; turn < 10; turn += 1) await new Promise(setImmediate);
    expect(bench.states).toContainEqual({ kind: 'reloading', why: 'heads_went_back' });
    // It contradicts its own snapshot: no second one is taken before a pause.
    expect(follower.state).toMatchObject({ kind: 'unreachable' });
    expect(bench.feed.calls.snapshot).toBe(2);
    await follower.stop();
  });
});

function stretchOf(row: FeedRow): FeedStretch {
  return { epoch: row.epoch, shard: row.shard, after: row.seq - 1, upTo: row.seq, rows: [row] };
}
