import type { OwnerFact } from '@keyswarm/core';
import { describe, expect, test } from 'vitest';
import { createResidentVerifier } from '../resident-verifier.ts';
import { keyFact, keyspaceId, ownerFact } from '../testing/sample-facts.arbitrary.ts';
import { type FeedFilter, feedView, filtered } from './feed-filter.ts';
import {
  ask,
  Bench,
  canary,
  idsOf,
  isGapless,
  keyRow,
  listener,
  never,
  ourRow,
  ours,
  ownerRow,
  spaceOf,
  theirRow,
  theirs,
  turn,
} from './testing/relay-bench.ts';

describe('what a reader may see', () => {
  test('nothing of another workspace leaves, and no details of events, by stream, rows or snapshot', async () => {
    const bench = new Bench();
    const source = bench.relay.sourceFor({ workspaceId: ours });
    const heard = listener();
    source.subscribe(bench.verifier.applied(), heard);
    for (const row of [ourRow(1), theirRow(2), ourRow(3), theirRow(4)]) bench.commit(0, row);
    bench.commit(0, ownerRow(ownerFact(9, { externalId: canary }), theirs));
    await turn();
    const rows = await source.rows(0, { after: 0, upTo: 5, limit: 1000 }, never);
    bench.relay.reloaded(bench.verifier.applied());
    const fromStore = await source.rows(0, { after: 0, upTo: 5, limit: 1000 }, never);
    const snapshot: unknown[] = [];
    const keep = (fact: unknown) => void snapshot.push(fact);
    await bench.relay
      .sourceFor({ workspaceId: ours, keyspaces: new Set([keyspaceId(1)]) })
      .snapshot({ key: keep, owner: keep, keyspace: keep, signingKey: keep, stretch: keep }, never);
    expect(JSON.stringify([heard.stretches, rows, fromStore, snapshot])).not.toContain(canary);
    expect(idsOf(heard.stretches)).toEqual([keyFact(1).id, keyFact(3).id]);
    for (const stretch of [rows, fromStore]) expect(stretch).toMatchObject({ after: 0, upTo: 5 });
    expect(snapshot).toHaveLength(4);
  });

  test('a stretch keeps its ends when its rows are not for the reader', async () => {
    const bench = new Bench();
    const heard = listener();
    bench.relay.sourceFor({ workspaceId: ours }).subscribe(bench.verifier.applied(), heard);
    for (const key of [2, 4]) {
      bench.commit(0, theirRow(key));
      await turn();
    }
    expect(heard.stretches.map(({ after, upTo, rows }) => [after, upTo, rows.length])).toEqual([
      [0, 1, 0],
      [1, 2, 0],
    ]);
  });

  test('a keyspace that is not named stays away, and owners of the workspace come to everyone', async () => {
    const bench = new Bench();
    const named = listener();
    const all = listener();
    const { relay } = bench;
    relay
      .sourceFor({ workspaceId: ours, keyspaces: new Set([keyspaceId(1)]) })
      .subscribe(bench.verifier.applied(), named);
    relay
      .sourceFor({ workspaceId: ours, without: new Set([keyspaceId(2)]) })
      .subscribe(bench.verifier.applied(), all);
    for (const row of [ourRow(1, 1), ourRow(2, 2), ourRow(3, 3), ownerRow(ownerFact(1), ours)])
      bench.commit(0, row);
    await turn();
    expect(idsOf(named.stretches)).toEqual([keyFact(1).id, ownerFact(1).id]);
    expect(idsOf(all.stretches)).toEqual([keyFact(1).id, keyFact(3).id, ownerFact(1).id]);
  });

  test('an owner is not in a snapshot for the keys that the reader may not see', async () => {
    const bench = new Bench();
    bench.commit(0, keyRow(keyFact(1), ownerFact(1), spaceOf(1, ours)));
    const other = keyFact(2, { keyspaceId: keyspaceId(2), ownerId: ownerFact(2).id });
    bench.commit(0, keyRow(other, ownerFact(2), spaceOf(2, ours)));
    const owners: OwnerFact[] = [];
    const ignore = () => {};
    await bench.relay.sourceFor({ without: new Set([keyspaceId(2)]) }).snapshot(
      {
        key: ignore,
        owner: (fact) => owners.push(fact),
        keyspace: ignore,
        signingKey: ignore,
        stretch: ignore,
      },
      never,
    );
    expect(owners.map(({ id }) => id)).toEqual([ownerFact(1).id]);
  });
});

describe('what is passed on', () => {
  test('five hundred rows of one commit are one stretch, and the same object for readers of the same filter', async () => {
    const bench = new Bench();
    const heard = [listener(), listener()];
    for (const one of heard) {
      bench.relay.sourceFor({ workspaceId: ours }).subscribe(bench.verifier.applied(), one);
    }
    for (let key = 0; key < 400; key += 1) bench.commit(0, ourRow(key));
    await turn();
    expect(heard[0]?.stretches).toHaveLength(1);
    expect(heard[0]?.stretches[0]).toBe(heard[1]?.stretches[0]);
  });

  test('a reader that was away gets what it missed from memory, without a hole', async () => {
    const bench = new Bench();
    const from = bench.verifier.applied();
    for (let key = 0; key < 3; key += 1) {
      bench.commit(0, ourRow(key));
      await turn();
    }
    const heard = listener();
    bench.relay.sourceFor({ workspaceId: ours }).subscribe({ ...from, seqs: [1, 0] }, heard);
    bench.commit(0, ourRow(3));
    await turn();
    expect(idsOf(heard.stretches)).toEqual([keyFact(1).id, keyFact(2).id, keyFact(3).id]);
    expect(isGapless(heard.stretches)).toBe(true);
    expect(bench.feed.calls.rows).toBe(0);
  });

  test('one that was away for longer is ended at once, and reads what it missed from the store', async () => {
    const bench = new Bench(undefined, { rowsMax: 4, bytesMax: 1_000_000 });
    for (let key = 0; key < 6; key += 1) {
      bench.commit(0, theirRow(2));
      await turn();
    }
    const heard = listener();
    const source = bench.relay.sourceFor({ workspaceId: ours });
    source.subscribe({ epoch: 1, seqs: [0, 0] }, heard);
    expect(heard.words).toEqual(['ended']);
    const rows = await source.rows(0, { after: 0, upTo: 3, limit: 1000 }, never);
    expect(rows).toMatchObject({ after: 0, upTo: 3, rows: [] });
    expect(bench.feed.calls.rows).toBe(1);
  });

  test('readers who miss the same rows share one read of them', async () => {
    const bench = new Bench();
    bench.feed.commit(0, ourRow(1));
    const source = bench.relay.sourceFor({ workspaceId: ours });
    const range = { after: 0, upTo: 1, limit: 1000 };
    const read = await Promise.all(Array.from({ length: 100 }, () => source.rows(0, range, never)));
    expect(bench.feed.calls.rows).toBe(1);
    expect(read.every((stretch) => stretch !== 'gone' && stretch.rows.length === 1)).toBe(true);
  });

  test('a new table ends every subscription, and another epoch is not gone on with', () => {
    const bench = new Bench();
    const heard = listener();
    const source = bench.relay.sourceFor({});
    source.subscribe(bench.verifier.applied(), heard);
    bench.verifier.startSnapshot().finish({ epoch: 2, seqs: [0, 0] });
    expect(heard.words).toEqual(['ended']);
    const late = listener();
    source.subscribe({ epoch: 1, seqs: [0, 0] }, late);
    expect(late.words).toEqual(['ended']);
    expect(bench.relay.readers).toBe(0);
  });

  test('who is wanted has been told of what is wanted first, and many wishes at once are one', () => {
    const bench = new Bench();
    const heard = listener();
    bench.relay.sourceFor({}).subscribe(bench.verifier.applied(), heard);
    bench.commit(0, ourRow(1));
    for (let times = 0; times < 10; times += 1) bench.relay.want();
    expect(heard.words).toEqual(['stretch', 'wanted']);
    bench.timers.fire(5);
    expect(heard.words).toEqual(['stretch', 'wanted', 'wanted']);
  });

  test('a reader that throws has ended, and its neighbours go on', async () => {
    const bench = new Bench();
    const heard = listener();
    const source = bench.relay.sourceFor({});
    source.subscribe(bench.verifier.applied(), {
      ...listener(),
      stretch: () => {
        throw new Error('broken');
      },
    });
    source.subscribe(bench.verifier.applied(), heard);
    bench.commit(0, ourRow(1));
    await turn();
    expect(heard.stretches).toHaveLength(1);
    expect(bench.relay.readers).toBe(1);
  });
});

describe('a snapshot out of memory', () => {
  test('with its tail is what stood at its end, whatever changed while it was read', async () => {
    const bench = new Bench();
    bench.commit(0, ourRow(1));
    bench.duringFacts = () => void bench.commit(1, ourRow(2));
    const reader = createResidentVerifier({ clock: bench.clock, shards: 2 });
    const load = reader.startSnapshot();
    const end = await bench.relay.sourceFor({ workspaceId: ours }).snapshot(
      {
        key: (fact) => load.applyKey(fact),
        owner: (fact) => load.applyOwner(fact),
        keyspace: (fact) => load.applyKeyspace(fact),
        signingKey: (fact) => load.applySigningKey(fact),
        stretch: (stretch) => load.applyStretch(stretch),
      },
      never,
    );
    load.finish(end);
    expect(end).toEqual({ epoch: 1, seqs: [1, 1], view: feedView({ workspaceId: ours }) });
    expect(reader.stats().versions).toBe(2);
    expect(bench.relay.readers).toBe(0);
  });

  test('is given up when another table took over, and grants no lease by itself', async () => {
    const bench = new Bench();
    bench.duringFacts = () => bench.verifier.startSnapshot().finish({ epoch: 2, seqs: [0, 0] });
    const ignore = () => {};
    const sink = { key: ignore, owner: ignore, keyspace: ignore, signingKey: ignore, stretch: ignore };
    const source = bench.relay.sourceFor({});
    await expect(source.snapshot(sink, never)).rejects.toThrow('overtaken');
    bench.duringFacts = ignore;
    expect(await source.snapshot(sink, never)).not.toHaveProperty('ageMs');
  });
});

describe('the view of a reader', () => {
  test('is the same for the same filter, and for no other', () => {
    const [one, two] = [keyspaceId(1), keyspaceId(2)];
    const others: readonly FeedFilter[] = [
      {},
      { workspaceId: ours },
      { workspaceId: theirs },
      { workspaceId: ours, keyspaces: new Set() },
      { workspaceId: ours, keyspaces: new Set([one]) },
      { workspaceId: ours, keyspaces: new Set([one, two]) },
      { workspaceId: ours, without: new Set([one]) },
      { workspaceId: ours, without: new Set([one, two]) },
      { keyspaces: new Set([one]) },
      { without: new Set([one]) },
    ];
    expect(new Set(others.map(feedView)).size).toBe(others.length);
    for (const view of others.map(feedView)) expect(view).toMatch(/^[A-Za-z0-9_-]{16}$/);
    expect(feedView({ keyspaces: new Set([two, one]) })).toBe(feedView({ keyspaces: new Set([one, two]) }));
  });

  test('is told with each answer, and rows and pushes for a table of another are gone', async () => {
    const bench = new Bench();
    bench.commit(0, ourRow(1));
    const wide = bench.relay.sourceFor({ workspaceId: ours });
    const narrow = bench.relay.sourceFor({ workspaceId: ours, keyspaces: new Set([keyspaceId(2)]) });
    expect(wide.view).not.toBe(narrow.view);
    expect([(await wide.lease(ask, never)).view, wide.reading()?.view]).toEqual([wide.view, wide.view]);
    const range = { after: 0, upTo: 1, limit: 10 };
    expect(await wide.rows(0, { ...range, view: wide.view }, never)).toMatchObject({ upTo: 1 });
    expect(await narrow.rows(0, { ...range, view: wide.view }, never)).toBe('gone');
    const from = { epoch: 1, seqs: [0, 0], view: wide.view };
    const [heard, refused] = [listener(), listener()];
    wide.subscribe(from, heard);
    narrow.subscribe(from, refused);
    bench.commit(0, ourRow(2));
    await turn();
    expect(idsOf(heard.stretches)).toEqual([keyFact(1).id, keyFact(2).id]);
    expect(refused.words).toEqual(['ended']);
  });
});

describe('a relay behind a relay', () => {
  const caughtUp: (() => void)[] = [];
  const chained = () =>
    new Bench({
      kind: 'relay',
      follower: {
        catchUp: async () => {
          for (const run of caughtUp) run();
        },
      },
    });

  test('answers with what it has applied and the age of its own lease, and with nothing when it has none', async () => {
    const bench = chained();
    const source = bench.relay.sourceFor({});
    await expect(source.lease(ask, never)).rejects.toMatchObject({ code: 'stale' });
    bench.commit(0, ourRow(1));
    bench.verifier.renewLease(bench.clock.monotonicMs(), [1]);
    bench.clock.advance(700);
    expect(await source.lease(ask, never)).toMatchObject({
      seqs: [1, 0],
      ageMs: 700,
      fromPrimary: false,
      behind: [1],
    });
  });

  test('never makes its reader younger than it is itself, however the answer is delayed', async () => {
    const bench = chained();
    const baseMs = bench.clock.monotonicMs();
    bench.verifier.renewLease(baseMs);
    bench.clock.advance(1000);
    const p0Ms = bench.clock.monotonicMs();
    bench.clock.advance(250);
    const answer = await bench.relay.sourceFor({}).lease(ask, never);
    bench.clock.advance(4000);
    expect(p0Ms - answer.ageMs).toBeLessThanOrEqual(baseMs);
  });

  test('asks upstream first when what it has would not be fresh enough', async () => {
    const bench = chained();
    bench.verifier.renewLease(bench.clock.monotonicMs());
    bench.clock.advance(900);
    caughtUp.push(() => {
      bench.commit(0, ourRow(1));
      bench.verifier.renewLease(bench.clock.monotonicMs());
    });
    const answer = await bench.relay.sourceFor({}).lease({ ...ask, fresh: true }, never);
    expect(answer).toMatchObject({ seqs: [1, 0], ageMs: 0 });
  });

  test('that holds a part gives nothing at all: what it lacks would look like what does not exist', async () => {
    const bench = chained();
    const load = (view: string) => {
      bench.verifier.startSnapshot().finish({ epoch: 1, seqs: [0, 0], view });
      bench.clock.advance(1);
      bench.verifier.renewLease(bench.clock.monotonicMs());
      bench.verifier.applyStretch({ epoch: 1, shard: 0, after: 0, upTo: 1, rows: [] });
    };
    const source = bench.relay.sourceFor({ workspaceId: ours, keyspaces: new Set([keyspaceId(1)]) });
    const range = { after: 0, upTo: 1, limit: 10 };
    const sink = { key() {}, owner() {}, keyspace() {}, signingKey() {}, stretch() {} };
    const from = { epoch: 1, seqs: [0, 0] };
    const asked = [
      async () => source.lease(ask, never),
      async () => source.rows(0, range, never),
      async () => source.snapshot(sink, never),
      async () => source.reading(),
      async () => source.subscribe(from, listener()),
    ];
    const parts: readonly FeedFilter[] = [
      { workspaceId: ours, without: new Set([keyspaceId(1)]) },
      { workspaceId: theirs },
    ];
    for (const part of parts) {
      load(feedView(part));
      for (const each of asked) await expect(each()).rejects.toMatchObject({ code: 'stale' });
    }
    for (const whole of [{ workspaceId: ours }, {}]) {
      load(feedView(whole));
      for (const each of asked.slice(0, 3)) await each();
    }
  });

  test('says that it has not got so far, rather than that a row is gone', async () => {
    const bench = chained();
    const range = { after: 0, upTo: 1, limit: 10 };
    await expect(bench.relay.sourceFor({}).rows(0, range, never)).rejects.toMatchObject({ code: 'stale' });
    bench.commit(0, ourRow(1));
    bench.relay.reloaded(bench.verifier.applied());
    expect(await bench.relay.sourceFor({}).rows(0, range, never)).toBe('gone');
  });
});

test('a filter that names no workspace lets all of them through', () => {
  const stretch = {
    epoch: 1,
    shard: 0,
    after: 0,
    upTo: 1,
    rows: [{ ...theirRow(1), epoch: 1, shard: 0, seq: 1 }],
  };
  expect(filtered({}, stretch)).toBe(stretch);
});
