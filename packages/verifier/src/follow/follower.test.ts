import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { FeedListener, FeedView, TablePlace } from '../feed/feed-source.ts';
import { Gate } from '../testing/gate.ts';
import { FollowerBench } from './testing/follower-bench.ts';

const leaseMs = 30_000;

describe('a follower', () => {
  let bench: FollowerBench;
  beforeEach(() => {
    bench = new FollowerBench();
  });
  afterEach(async () => {
    bench.feed.before = async () => {};
    await bench.follower?.stop();
  });
  const kinds = () => bench.states.map(({ kind }) => kind);
  const whenEntered = async (kind: string): Promise<void> => {
    for (let turn = 0; turn < 1000 && bench.follower?.state.kind !== kind; turn += 1) {
      await new Promise(setImmediate);
    }
    expect(bench.follower?.state.kind).toBe(kind);
  };

  test('starts from a snapshot, and is stale until it has one', async () => {
    const { key } = bench.issue(1);
    const follower = bench.start();
    expect(bench.verify(key)).toBe('stale');
    await follower.ready;
    expect(bench.verify(key)).toBe('valid');
    expect(kinds()).toEqual(['following']);
  });

  test('applies what other processes committed before a catch-up was asked for', async () => {
    const follower = bench.start();
    await follower.ready;
    const { key } = bench.issue(1);
    expect(bench.verify(key)).toBe('unknown');
    await follower.catchUp();
    expect(bench.verify(key)).toBe('valid');
    bench.change(key, 'revoked');
    await follower.catchUp();
    expect(bench.verify(key)).toBe('revoked');
    expect(bench.feed.calls.snapshot).toBe(1);
  });

  test('knows what this process committed at once, and without a read', async () => {
    const follower = bench.start();
    await follower.ready;
    const { heads, rows } = bench.feed.calls;
    const { key, row } = bench.issue(1);
    follower.applyCommitted([row]);
    expect(bench.verify(key)).toBe('valid');
    expect(bench.verifier.applied().seqs[1]).toBe(1);
    expect(bench.feed.calls).toMatchObject({ heads, rows });
  });

  test('knows it at once, too, when rows of another process lie between, and fetches those', async () => {
    const follower = bench.start();
    await follower.ready;
    const theirs = bench.issue(1);
    const ours = bench.issue(1);
    follower.applyCommitted([ours.row]);
    expect(bench.verify(ours.key)).toBe('valid');
    expect(bench.verifier.applied().seqs[1]).toBe(0);
    for (let turn = 0; turn < 1000 && bench.verifier.applied().seqs[1] !== 2; turn += 1) {
      await new Promise(setImmediate);
    }
    expect(bench.verify(theirs.key)).toBe('valid');
  });

  test('shares one round among all who ask for one at the same time', async () => {
    const follower = bench.start();
    await follower.ready;
    const before = bench.feed.calls.heads;
    await Promise.all(Array.from({ length: 500 }, () => follower.catchUp()));
    expect(bench.feed.calls.heads - before).toBeLessThanOrEqual(2);
  });

  describe('renews the lease', () => {
    test('as of when it asked for the heads, not of when it was done', async () => {
      const follower = bench.start();
      await follower.ready;
      bench.feed.before = async (call) => {
        if (call === 'heads') bench.clock.advance(700);
      };
      await follower.catchUp();
      expect(bench.verifier.stats().leaseAgeMs).toBeCloseTo(700, 0);
    });

    test('not by what it is told of its own commits', async () => {
      const follower = bench.start();
      await follower.ready;
      const { key, row } = bench.issue(1);
      bench.clock.advance(leaseMs + 1);
      follower.applyCommitted([row]);
      expect(bench.verify(key)).toBe('stale');
    });

    test('not while the store is away; it serves to the end of the lease, and comes back', async () => {
      const { key } = bench.issue(1);
      const follower = bench.start();
      await follower.ready;
      bench.feed.before = () => Promise.reject(new Error('away'));
      follower.wake();
      await whenEntered('unreachable');
      expect(bench.verify(key)).toBe('valid');
      bench.clock.advance(leaseMs + 1);
      expect(bench.verify(key)).toBe('stale');
      bench.feed.before = async () => {};
      bench.timers.fire(1999);
      await whenEntered('following');
      expect(bench.verify(key)).toBe('valid');
      expect(kinds()).toEqual(['following', 'unreachable', 'following']);
    });

    test('not while a row can not be read, which it says once; other shards go on', async () => {
      const follower = bench.start();
      await follower.ready;
      const good = bench.issue(1);
      const bad = bench.issue(2);
      const after = bench.issue(2);
      bench.feed.spoil(bad.row, true);
      bench.clock.advance(1000);
      follower.wake();
      await whenEntered('blocked');
      expect(bench.verify(good.key)).toBe('valid');
      expect(bench.verify(after.key)).toBe('stale');
      expect(bench.verifier.quarantined).toEqual([2]);
      expect(bench.verifier.stats().leaseAgeMs).toBeCloseTo(0, 0);
      bench.timers.fire(250);
      await new Promise(setImmediate);
      expect(bench.states.filter(({ kind }) => kind === 'blocked')).toEqual([
        { kind: 'blocked', shard: 2, seq: 1, reason: 'spoilt' },
      ]);
      bench.feed.spoil(bad.row, false);
      await follower.catchUp();
      expect(bench.verify(after.key)).toBe('valid');
      expect(bench.verifier.stats().leaseAgeMs).toBeCloseTo(0, 0);
    });
  });

  describe('takes a new snapshot', () => {
    test('when rows that it lacks were dropped', async () => {
      const follower = bench.start();
      await follower.ready;
      const { key } = bench.issue(1);
      bench.feed.drop(1);
      await follower.catchUp();
      expect(bench.verify(key)).toBe('valid');
      expect(bench.states).toContainEqual({ kind: 'reloading', why: 'gone' });
    });

    test('when the epoch changed, and forgets what the new history does not hold', async () => {
      const { key } = bench.issue(1);
      const follower = bench.start();
      await follower.ready;
      bench.feed.keys.delete(key.fact.id);
      bench.feed.cutBack(1, 1);
      bench.feed.epoch = 2;
      const { key: next } = bench.issue(1);
      await follower.catchUp();
      expect([bench.verify(key), bench.verify(next)]).toEqual(['unknown', 'valid']);
      expect(bench.states).toContainEqual({ kind: 'reloading', why: 'epoch' });
    });

    test('and another one a pause later, when the epoch changed again while it was read', async () => {
      const { key } = bench.issue(1);
      const follower = bench.start();
      await follower.ready;
      bench.feed.epoch = 2;
      bench.feed.before = async (call) => {
        if (call === 'snapshot' && bench.feed.epoch === 2) bench.feed.epoch = 3;
      };
      const caughtUp = follower.catchUp();
      await whenEntered('unreachable');
      expect(bench.verify(key)).toBe('stale');
      bench.timers.firePauses();
      await caughtUp;
      expect(bench.verify(key)).toBe('valid');
      expect(bench.verifier.applied().epoch).toBe(3);
      expect(bench.feed.calls.snapshot).toBe(3);
    });

    test('when the heads went back though nobody raised the epoch', async () => {
      bench.issue(1);
      const follower = bench.start();
      await follower.ready;
      bench.feed.cutBack(1, 1);
      await follower.catchUp();
      expect(bench.states).toContainEqual({ kind: 'reloading', why: 'heads_went_back' });
      expect(bench.verifier.applied().seqs[1]).toBe(0);
    });

    test('when it may read something else than its table was loaded with, also if no row has come since', async () => {
      const { key } = bench.issue(1);
      bench.feed.view = 'wide';
      const follower = bench.start();
      await follower.ready;
      expect([bench.verifier.view, bench.verify(key)]).toEqual(['wide', 'valid']);
      bench.feed.keys.delete(key.fact.id);
      bench.feed.view = 'narrow';
      await follower.catchUp();
      expect([bench.verifier.view, bench.verify(key)]).toEqual(['narrow', 'unknown']);
      expect(bench.states).toContainEqual({ kind: 'reloading', why: 'view' });
      bench.feed.view = undefined;
      await follower.catchUp();
      expect([bench.verifier.view, bench.feed.calls.snapshot]).toEqual([undefined, 3]);
    });

    test('and is renewed by nothing that was given for another view meanwhile', async () => {
      const { key } = bench.issue(1);
      bench.feed.view = 'wide';
      const follower = bench.start();
      await follower.ready;
      bench.clock.advance(20_000);
      bench.feed.view = 'narrow';
      bench.feed.before = async (call) => {
        if (call === 'snapshot') throw new Error('not now');
      };
      follower.wake();
      await whenEntered('unreachable');
      expect(bench.verify(key)).toBe('valid');
      bench.clock.advance(leaseMs - 20_000 + 1);
      expect(bench.verify(key)).toBe('stale');
    });

    test('asks for rows by the view of its table', async () => {
      bench.feed.view = 'wide';
      const follower = bench.start();
      await follower.ready;
      bench.issue(1);
      await follower.catchUp();
      bench.feed.view = 'narrow';
      await follower.catchUp();
      bench.issue(1);
      await follower.catchUp();
      expect(bench.feed.viewsAsked).toEqual(['wide', 'narrow']);
    });

    test('and hears nothing any more that is pushed for the table before, from the swap on', async () => {
      const pushes: { readonly view: FeedView; readonly listener: FeedListener }[] = [];
      const subscribe = ({ view }: TablePlace, listener: FeedListener) => {
        pushes.push({ view, listener });
        return { close() {} };
      };
      Object.assign(bench.feed, { subscribe });
      bench.feed.view = 'wide';
      const follower = bench.start();
      await follower.ready;
      const start = bench.verifier.startSnapshot.bind(bench.verifier);
      const late = () => pushes[0]?.listener.stretch({ epoch: 1, shard: 2, after: 0, upTo: 1, rows: [] });
      bench.verifier.startSnapshot = () => {
        const load = start();
        const finish = load.finish.bind(load);
        load.finish = (end) => {
          finish(end);
          late();
        };
        return load;
      };
      bench.feed.view = 'narrow';
      await follower.catchUp();
      late();
      expect(bench.verifier.applied().seqs[2]).toBe(0);
      expect(pushes.map(({ view }) => view)).toEqual(['wide', 'narrow']);
    });

    test('and serves meanwhile; what is committed during it is not lost', async () => {
      const { key } = bench.issue(1);
      const follower = bench.start();
      await follower.ready;
      const loading = new Gate();
      const gate = new Gate();
      bench.feed.before = (call) => {
        if (call !== 'snapshot') return Promise.resolve();
        loading.open();
        return gate.passed;
      };
      bench.feed.epoch = 2;
      const caughtUp = follower.catchUp();
      await loading.passed;
      expect(bench.verify(key)).toBe('valid');
      const during = bench.issue(1);
      follower.applyCommitted([during.row]);
      gate.open();
      await whenEntered('following');
      expect([bench.verify(key), bench.verify(during.key)]).toEqual(['valid', 'valid']);
      await caughtUp;
    });
  });

  describe('is bounded', () => {
    test('in how long a catch-up may take: then it is stale', async () => {
      const follower = bench.start();
      await follower.ready;
      const gate = new Gate();
      bench.feed.before = () => gate.passed;
      const waiting = follower.catchUp();
      bench.timers.fire(2000);
      await expect(waiting).rejects.toMatchObject({ code: 'stale' });
      gate.open();
    });

    test('in how often it asks a store that is away, however many want to know', async () => {
      const follower = bench.start();
      await follower.ready;
      bench.feed.before = () => Promise.reject(new Error('away'));
      const waiting = Promise.allSettled([follower.catchUp()]);
      await whenEntered('unreachable');
      const before = bench.feed.calls.heads;
      const more = Promise.allSettled(Array.from({ length: 100 }, () => follower.catchUp()));
      for (let turn = 0; turn < 50; turn += 1) await new Promise(setImmediate);
      expect(bench.feed.calls.heads).toBe(before);
      bench.timers.fire(2000);
      await Promise.all([waiting, more]);
    });

    test('in its life: a stop ends the loop and all who wait, even while a snapshot loads', async () => {
      bench.issue(1);
      const gate = new Gate();
      bench.feed.before = (call) => (call === 'snapshot' ? gate.passed : Promise.resolve());
      const follower = bench.start();
      const waiting = follower.catchUp();
      const stopped = follower.stop();
      gate.open();
      await stopped;
      await expect(waiting).rejects.toMatchObject({ code: 'shutting_down' });
      await expect(follower.catchUp()).rejects.toMatchObject({ code: 'shutting_down' });
      expect(follower.state).toEqual({ kind: 'stopped' });
      expect(bench.verifier.ready).toBe(false);
    });
  });
});
