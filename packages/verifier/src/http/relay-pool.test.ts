import { describe, expect, it, vi } from 'vitest';
import { ManualVerifierClock } from '../clock/manual-verifier-clock.ts';
import type {
  FeedListener,
  FeedSource,
  FeedStretch,
  LeaseAnswer,
  LeaseAsk,
  RowRange,
} from '../feed/feed-source.ts';
import { BadFeedRow } from '../follow/bad-feed-row.ts';
import { ListedTimers } from '../follow/testing/follower-bench.ts';
import { refusedPauseMs, relaysMax, secondAskMs } from '../limits.ts';
import { RelayBusy, RelayRefused, RelayUnreachable } from './relay-errors.ts';
import { createRelayPool, type RelayMove } from './relay-pool.ts';

/** Always begins with the first relay, and takes the shortest of every pause. */
const random = { bytes: (count: number) => new Uint8Array(count) };
const forever = new AbortController().signal;

class ScriptedRelay implements FeedSource {
  readonly asks: LeaseAsk[] = [];
  listener: FeedListener | undefined;
  closed = 0;
  reply: () => Promise<LeaseAnswer> = async () => answer({});
  row: (range: RowRange) => Promise<FeedStretch | 'gone'> = async () => 'gone';
  taken: () => Promise<LeaseAnswer> = async () => answer({});

  lease(ask: LeaseAsk): Promise<LeaseAnswer> {
    this.asks.push(ask);
    return this.reply();
  }

  rows(_: number, range: RowRange): Promise<FeedStretch | 'gone'> {
    return this.row(range);
  }

  snapshot(): Promise<LeaseAnswer> {
    return this.taken();
  }

  subscribe(_: unknown, listener: FeedListener) {
    this.listener = listener;
    return {
      close: () => {
        this.closed += 1;
      },
    };
  }
}

function answer(change: Partial<LeaseAnswer>): LeaseAnswer {
  return { epoch: 2, seqs: [5, 5], ageMs: 0, fromPrimary: true, behind: [], ...change };
}

function poolOf(count: number, agingAfterMs = Number.POSITIVE_INFINITY) {
  const clock = new ManualVerifierClock(1_700_000_000_000);
  const timers = new ListedTimers();
  const moves: RelayMove[] = [];
  const relays = Array.from({ length: count }, () => new ScriptedRelay());
  const pool = createRelayPool({
    relays: relays.map((source, at) => ({ name: `r${at}`, source })),
    clock,
    timers,
    random,
    agingAfterMs: () => agingAfterMs,
    onMove: (move) => moves.push(move),
  });
  const ask = (change: Partial<LeaseAsk> = {}) =>
    pool.lease({ applied: { epoch: 2, seqs: [5, 5] }, leaseAgeMs: 10, fresh: false, ...change }, forever);
  const [first = new ScriptedRelay(), second = new ScriptedRelay()] = relays;
  return { clock, timers, moves, pool, ask, first, second };
}

const never = () => new Promise<never>(() => {});
const failing = (error: unknown) => async () => {
  throw error;
};
const unreachable = failing(new RelayUnreachable('r', 'ECONNREFUSED'));

describe('several relays as one source', () => {
  it('keep to one as long as it answers', async () => {
    const { ask, first, second, pool } = poolOf(2);
    for (let round = 0; round < 5; round += 1) await ask();
    expect([first.asks.length, second.asks.length, pool.current]).toEqual([5, 0, 'r0']);
  });

  it('answer from the next one in the same ask when one fails, and keep to that', async () => {
    const { ask, first, second, pool, moves } = poolOf(2);
    first.reply = unreachable;
    expect(await ask()).toEqual(answer({}));
    await ask();
    expect([first.asks.length, second.asks.length, pool.current, pool.moves]).toEqual([1, 2, 'r1', 1]);
    expect(moves).toMatchObject([{ from: 'r0', to: 'r1', error: { name: 'RelayUnreachable' } }]);
  });

  it('ask a second one when the first says nothing for a while, and take the answer that comes', async () => {
    const { ask, first, second, timers, pool } = poolOf(2);
    first.reply = never;
    const asked = ask();
    expect(second.asks).toHaveLength(0);
    timers.fire(secondAskMs * 1.25);
    await vi.waitFor(() => expect(second.asks).toHaveLength(1));
    await vi.waitFor(() => expect(timers.listed.size).toBe(1));
    timers.fire(secondAskMs);
    expect(await asked).toEqual(answer({}));
    expect(pool.current).toBe('r1');
  });

  it('ask two when the lease is aging, and take whichever proves more', async () => {
    const { ask, first, second, pool } = poolOf(2, 1_000);
    first.reply = async () => answer({ ageMs: 9_000, fromPrimary: false });
    second.reply = async () => answer({ ageMs: 40, fromPrimary: false });
    expect((await ask({ leaseAgeMs: 5_000 })).ageMs).toBe(40);
    expect([first.asks.length, second.asks.length, pool.current]).toEqual([1, 1, 'r1']);
    await ask({ leaseAgeMs: 10 });
    expect(first.asks).toHaveLength(1);
  });

  it('prefer the answer that leaves out fewer shards, of two that are as young', async () => {
    const { ask, first, second } = poolOf(2, 1_000);
    first.reply = async () => answer({ behind: [1] });
    second.reply = async () => answer({ ageMs: 40 });
    expect(await ask({ leaseAgeMs: 5_000 })).toMatchObject({ behind: [] });
  });

  it('prefer the answer that fits the table, of two that are as young, and the younger one all the same', async () => {
    const { ask, first, second } = poolOf(2, 1_000);
    first.reply = async () => answer({ view: 'other' });
    second.reply = async () => answer({ view: 'mine', ageMs: 40, behind: [1] });
    expect(await ask({ leaseAgeMs: 5_000, view: 'mine' })).toMatchObject({ view: 'mine' });
    expect(await ask({ leaseAgeMs: 5_000, view: 'other' })).toMatchObject({ view: 'other' });
    second.reply = async () => answer({ view: 'mine', ageMs: 40_000, fromPrimary: false });
    expect(await ask({ leaseAgeMs: 5_000, view: 'mine' })).toMatchObject({ view: 'other' });
  });

  it('ask each of them for rows of the view of the table, so that none gives those of another', async () => {
    const { first, second, pool } = poolOf(2);
    const range = { after: 0, upTo: 1, limit: 10, view: 'mine' };
    const cutFor = (view: string) => async (asked: RowRange) =>
      asked.view === view
        ? ({ epoch: 2, shard: 0, after: 0, upTo: 1, rows: [] } as const)
        : ('gone' as const);
    first.row = cutFor('other');
    second.row = cutFor('mine');
    expect(await pool.rows(0, range, forever)).toMatchObject({ upTo: 1 });
    second.row = cutFor('other');
    expect(await pool.rows(0, range, forever)).toBe('gone');
  });

  it('leave alone a relay of an older epoch than was applied, and listen to it when there is no other', async () => {
    const { ask, first, second, pool } = poolOf(2);
    first.reply = async () => answer({ epoch: 1 });
    expect((await ask()).epoch).toBe(2);
    expect(pool.current).toBe('r1');
    second.reply = unreachable;
    await expect(ask()).rejects.toMatchObject({ name: 'RelayUnreachable' });
    expect(first.asks.length).toBe(2);
  });

  it('ask a relay that refused no more for half a minute, and then again', async () => {
    const { ask, first, clock, pool } = poolOf(1);
    first.reply = failing(new RelayRefused('r', 401, 'unauthenticated'));
    for (let round = 0; round < 20; round += 1) await expect(ask()).rejects.toBeInstanceOf(RelayRefused);
    expect([first.asks.length, pool.isRefused]).toEqual([1, true]);
    clock.advance(refusedPauseMs);
    first.reply = async () => answer({});
    await ask();
    expect(pool.isRefused).toBe(false);
  });

  it('wait as long as a busy relay asks for, and go elsewhere meanwhile', async () => {
    const { ask, first, second, clock } = poolOf(2);
    first.reply = failing(new RelayBusy('r', 503, 5_000));
    await ask();
    second.reply = failing(new RelayBusy('r', 503, 5_000));
    await expect(ask()).rejects.toBeInstanceOf(RelayBusy);
    clock.advance(4_999);
    await expect(ask()).rejects.toBeInstanceOf(RelayBusy);
    expect([first.asks.length, second.asks.length]).toEqual([1, 2]);
    clock.advance(5_001);
    first.reply = async () => answer({});
    await ask();
  });

  it('ask a second one for rows as well when the first says nothing for a while, so that no round waits for one that hangs', async () => {
    const { pool, first, second, timers } = poolOf(2);
    const range = { after: 4, upTo: 5, limit: 10, view: 'mine' };
    const stretch = { epoch: 2, shard: 0, after: 4, upTo: 5, rows: [] };
    first.row = never;
    second.row = async () => stretch;
    const asked = pool.rows(0, range, forever);
    await vi.waitFor(() => expect(timers.listed.size).toBe(1));
    timers.fire(secondAskMs * 1.25);
    expect(await asked).toEqual(stretch);
  });

  it('look for rows that one no longer holds at another', async () => {
    const { pool, first, second } = poolOf(2);
    const range = { after: 4, upTo: 5, limit: 10 };
    const stretch = { epoch: 2, shard: 0, after: 4, upTo: 5, rows: [] };
    second.row = async () => stretch;
    expect(await pool.rows(0, range, forever)).toEqual(stretch);
    second.row = unreachable;
    expect(await pool.rows(0, range, forever)).toBe('gone');
    expect(first.asks).toEqual([]);
  });

  it('renew the lease at a relay that has no snapshot to give just now', async () => {
    const { ask, pool, first } = poolOf(1);
    first.taken = failing(new RelayBusy('r', 503, 5_000));
    const sink = { key() {}, owner() {}, keyspace() {}, signingKey() {}, stretch() {} };
    await expect(pool.snapshot(sink, forever)).rejects.toBeInstanceOf(RelayBusy);
    await expect(ask()).resolves.toEqual(answer({}));
  });

  it('go on asking the only one there is, however often it fails', async () => {
    const { ask, first } = poolOf(1);
    first.reply = unreachable;
    for (let round = 0; round < 5; round += 1) await expect(ask()).rejects.toBeInstanceOf(RelayUnreachable);
    expect(first.asks).toHaveLength(5);
  });

  it('ask another one of a row before they call it unreadable', async () => {
    const { pool, first, second } = poolOf(2);
    const range = { after: 4, upTo: 5, limit: 10 };
    first.row = failing(new BadFeedRow(0, 5, 'row.v'));
    expect(await pool.rows(0, range, forever)).toBe('gone');
    second.row = unreachable;
    await expect(pool.rows(0, range, forever)).rejects.toBeInstanceOf(BadFeedRow);
  });

  it('end what the relay before pushed when they move, and no more than once', async () => {
    const { ask, pool, first } = poolOf(2);
    const ended: unknown[] = [];
    pool.subscribe(
      { epoch: 2, seqs: [5, 5] },
      { stretch() {}, wanted() {}, ended: (error) => ended.push(error) },
    );
    first.reply = unreachable;
    await ask();
    first.listener?.ended(new Error('late'));
    expect([ended.length, first.closed]).toEqual([1, 1]);
  });

  it('believe no relay that calls heads young which lie behind what was applied before', async () => {
    const { ask, first, clock, pool } = poolOf(1);
    await ask({ applied: { epoch: 2, seqs: [9, 9] } });
    clock.advance(1_000);
    const old = { seqs: [8, 9], fromPrimary: false };
    first.reply = async () => answer({ ...old, ageMs: 500 });
    await expect(ask({ applied: { epoch: 2, seqs: [9, 9] } })).rejects.toMatchObject({
      name: 'ContradictoryAge',
    });
    first.reply = async () => answer({ ...old, ageMs: 1_500 });
    expect((await ask({ applied: { epoch: 2, seqs: [9, 9] } })).ageMs).toBe(1_500);
    expect(pool.current).toBe('r0');
  });

  it('are 1 at least, and not too many', () => {
    expect(() => poolOf(0)).toThrow(RangeError);
    expect(() => poolOf(relaysMax + 1)).toThrow(RangeError);
  });
});
