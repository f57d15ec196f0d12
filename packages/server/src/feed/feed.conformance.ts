import type { FeedRow, KeyFact, KeyspaceFact, OwnerFact, SigningKeyFact } from '@keyswarm/core';
import { keyFactOf } from '@keyswarm/core';
import type { SnapshotSink } from '@keyswarm/verifier';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { createLanes, type RunningLanes } from '../lanes/lanes.ts';
import { Sample } from '../lanes/testing/sample.ts';
import { systemClock } from '../runtime/clock.ts';
import { systemTimers } from '../runtime/timers.ts';
import { createReader } from '../storage/reader.ts';
import { dayAt, listDays } from '../storage/statements/feed-partitions.ts';
import type { Store } from '../storage/store.ts';
import { createStoreClock } from '../storage/store-clock.ts';
import { createFeedSource, type StoreFeed } from './feed-source.ts';
import { initStore, ShardsMismatch, startNewEpoch } from './init-store.ts';
import { seesAllUnderManyWriters } from './testing/feed-promises.ts';
import { houseFeed } from './testing/logs.ts';
import { runUpkeep } from './upkeep.ts';
import { verifyAudit } from './verify-audit.ts';

/** What every store has to let the feed, its snapshot, its upkeep and the audit chain promise. */
export function feedConformance(openStore: () => Promise<Store>, shards: number): void {
  let store: Store;
  let source: StoreFeed;
  let lanes: RunningLanes;
  let sample: Sample;
  let committed: FeedRow[];
  beforeAll(async () => {
    store = await openStore();
    source = createFeedSource(store, { shards, snapshotPageRows: 3 });
    lanes = createLanes({
      store,
      shards,
      clock: systemClock,
      timers: systemTimers,
      onCommitted: (rows) => committed.push(...rows),
    });
  }, 60_000);
  afterAll(() => store.close());
  beforeEach(async () => {
    sample = new Sample(shards);
    committed = [];
    await lanes.submit(sample.createKeyspace());
  });

  const issue = (count: number, shard?: number) =>
    Promise.all(
      Array.from({ length: count }, (_, at) =>
        lanes.submit(
          sample.issue({ externalId: `owner ${at % 3}`, ...(shard === undefined ? {} : { shard }) }),
        ),
      ),
    ).then((receipts) => receipts.map(({ reply }) => reply));
  const sql = (text: string, params: readonly unknown[] = []) => store.query({ name: '', text }, params);
  const headOf = async (shard: number): Promise<number> => (await source.heads()).seqs[shard] ?? 0;

  describe('the rows', () => {
    test('of a shard come in order, without a hole, as they were committed', async () => {
      const before = await source.heads();
      await issue(60);
      const after = await source.heads();
      const read: FeedRow[] = [];
      for (let shard = 0; shard < shards; shard += 1) {
        let from = before.seqs[shard] ?? 0;
        for (const upTo = after.seqs[shard] ?? 0; from < upTo; ) {
          const stretch = await source.rows(shard, { after: from, upTo, limit: 7 });
          expect(stretch).not.toBe('gone');
          if (stretch === 'gone') break;
          const { rows } = stretch;
          expect(stretch).toMatchObject({ shard, after: from, upTo: from + rows.length });
          expect(rows.map(({ seq }) => seq)).toEqual(rows.map((_, at) => from + at + 1));
          read.push(...rows);
          from += rows.length;
        }
      }
      expect(byPlace(read)).toEqual(byPlace(committed.slice(1)));
      expect(read).toHaveLength(60);
    });

    test('are all seen by a reader that polls meanwhile', async () => {
      await seesAllUnderManyWriters(houseFeed(sample), { writers: [store, store], reader: store }, 20);
    });

    test('of other shards do not move the head of a shard that nothing changed in', async () => {
      const before = await source.heads();
      await issue(5, 1);
      const after = await source.heads();
      expect(after.seqs[1]).toBe((before.seqs[1] ?? 0) + 5);
      expect(after.seqs.filter((_, at) => at !== 1)).toEqual(before.seqs.filter((_, at) => at !== 1));
    });

    test('that nobody can read are not passed over: those before come, then an error', async () => {
      const from = await headOf(2);
      await issue(3, 2);
      await sql(`update feed set body = '{"v":1}' where shard = 2 and seq = $1`, [from + 2]);
      const range = { upTo: from + 3, limit: 10 };
      expect(await source.rows(2, { ...range, after: from })).toMatchObject({ upTo: from + 1 });
      await expect(source.rows(2, { ...range, after: from + 1 })).rejects.toMatchObject({
        name: 'BadFeedRow',
        shard: 2,
        seq: from + 2,
      });
    });

    test('that stand in a place that is not theirs are refused', async () => {
      const from = await headOf(3);
      await issue(1, 3);
      await sql('update feed set seq = seq + 1 where shard = 3 and seq = $1', [from + 1]);
      await sql('update feed_heads set seq = seq + 1 where shard = 3');
      const moved = source.rows(3, { after: from + 1, upTo: from + 2, limit: 10 });
      await expect(moved).rejects.toMatchObject({ seq: from + 2 });
      expect(await source.rows(3, { after: from, upTo: from + 2, limit: 10 })).toBe('gone');
    });
  });

  test('a snapshot holds every fact as it is, with three versions of a key at the most', async () => {
    const keys = await issue(20);
    const first = keys[0];
    if (first === undefined) throw new Error('keys were issued');
    for (let round = 0; round < 4; round += 1) await lanes.submit(sample.rotate(first.id));
    const reader = createReader(store, { shards });
    const records = await reader.keys(sample.workspaceId, {}, { limit: 100 }, systemClock.nowMs());
    const facts = collectingSink();
    const heads = await source.snapshot(facts);
    expect(heads).toEqual({ ...(await source.heads()), ageMs: 0 });
    const own = facts.keys.filter(({ keyspaceId }) => keyspaceId === sample.keyspace.id);
    expect(byId(own)).toEqual(byId(records.map(keyFactOf)));
    expect(own.find(({ id }) => id === first.id)?.versions.map(({ number }) => number)).toEqual([3, 4, 5]);
    expect(facts.keyspaces).toContainEqual(committed[0]?.keyspace);
    expect(facts.owners.filter(({ externalId }) => externalId.startsWith('owner '))).not.toHaveLength(0);
  });

  test('a snapshot and the rows after it, under writes, come to the final state', async () => {
    const writing = (async () => {
      for (let round = 0; round < 5; round += 1) {
        const keys = await issue(10);
        await Promise.all(keys.slice(0, 5).map(({ id }) => lanes.submit(sample.revoke(id))));
      }
    })();
    const facts = collectingSink();
    const heads = await source.snapshot(facts);
    await writing;
    const latest = new Map(facts.keys.map((fact) => [fact.id, fact]));
    const end = await source.heads();
    for (let shard = 0; shard < shards; shard += 1) {
      const range = { after: heads.seqs[shard] ?? 0, upTo: end.seqs[shard] ?? 0, limit: 1000 };
      const stretch = await source.rows(shard, range);
      if (stretch === 'gone') throw new Error('nothing was dropped');
      const { rows } = stretch;
      for (const { key } of rows) {
        if (key !== null && key.revision > (latest.get(key.id)?.revision ?? 0)) latest.set(key.id, key);
      }
    }
    const final = collectingSink();
    await source.snapshot(final);
    expect(byId([...latest.values()])).toEqual(byId(final.keys));
  });

  describe('the audit chain', () => {
    const shard = 0;
    const tampered = async (text: string, undo: string): Promise<unknown> => {
      await issue(4, shard);
      expect(await verifyAudit(store, shard, { pageRows: 2 })).toMatchObject({ ok: true });
      const seq = (await headOf(shard)) - 2;
      await sql(`create table kept as select * from audit where shard = 0`);
      await sql(text, [seq]);
      const check = await verifyAudit(store, shard, { pageRows: 2 });
      await sql(undo);
      await sql('delete from audit where shard = 0');
      await sql('insert into audit select * from kept');
      await sql('drop table kept');
      expect(await verifyAudit(store, shard)).toMatchObject({ ok: true });
      return { ...(check as object), seq: 'seq' in check ? check.seq - seq : undefined };
    };
    const nothing = 'select 1';

    test('shows a record that was altered', async () => {
      const text = `update audit set body = replace(body, 'req-1', 'req-2') where shard = 0 and seq = $1`;
      expect(await tampered(text, nothing)).toEqual({ ok: false, seq: 0, reason: 'altered' });
    });

    test('shows a record that was altered together with its own hash', async () => {
      const text = `update audit set body = '{"seq":' || seq || ',"shard":0}',
        hash = sha256(convert_to('x', 'UTF8')) where shard = 0 and seq = $1`;
      expect(await tampered(text, nothing)).toEqual({ ok: false, seq: 0, reason: 'altered' });
    });

    test('shows a record that was removed', async () => {
      const text = 'delete from audit where shard = 0 and seq = $1';
      expect(await tampered(text, nothing)).toEqual({ ok: false, seq: 0, reason: 'missing' });
    });

    test('shows that its end was cut off, head and all', async () => {
      const text = 'update feed_heads set seq = $1 where shard = 0';
      const undo = 'update feed_heads set seq = seq + 2 where shard = 0';
      expect(await tampered(text, undo)).toEqual({ ok: false, seq: 0, reason: 'end_differs' });
    });

    test('shows a record that was moved from elsewhere', async () => {
      const text = `update audit set body = (select body from audit where shard = 0 and seq = $1::bigint - 1)
        where shard = 0 and seq = $1`;
      expect(await tampered(text, nothing)).toEqual({ ok: false, seq: 0, reason: 'misplaced' });
    });
  });

  describe('upkeep', () => {
    const dayMs = 86_400_000;
    const at = (nowMs: number) => ({ nowMs: async () => nowMs });

    test('makes the days to come, drops those past retention, and what was in them is gone', async () => {
      const nowMs = systemClock.nowMs();
      const [key] = await issue(1, 1);
      const seq = await headOf(1);
      expect(await runUpkeep({ store, shards, storeClock: at(nowMs + dayMs) })).toEqual([]);
      expect(await listDays(store)).toEqual([1, 2, 3].map((ahead) => dayAt(nowMs, ahead)));
      expect(await source.rows(1, { after: seq - 1, upTo: seq, limit: 1 })).toMatchObject({
        rows: [{ subject: key?.id }],
      });
      expect(await runUpkeep({ store, shards, storeClock: at(nowMs + 6 * dayMs) })).toEqual([]);
      expect(await listDays(store)).toEqual([3, 6, 7, 8].map((ahead) => dayAt(nowMs, ahead)));
      expect(await source.rows(1, { after: seq - 1, upTo: seq, limit: 1 })).toBe('gone');
      await sql('truncate feed_default');
    });

    test('leaves a day that has begun without a partition where it is', async () => {
      await issue(1, 1);
      expect(await runUpkeep({ store, shards, storeClock: createStoreClock(store) })).toEqual([]);
      expect(await listDays(store)).not.toContain(dayAt(systemClock.nowMs(), 0));
      await issue(1, 1);
    });

    test('can be run by several at once', async () => {
      const storeClock = at(systemClock.nowMs() + 50 * dayMs);
      const runs = await Promise.all([1, 2, 3].map(() => runUpkeep({ store, shards, storeClock })));
      expect(runs.flat()).toEqual([]);
      expect(await listDays(store)).toHaveLength(3);
    });

    test('sweeps replies that have run out, and no others', async () => {
      const insert = `insert into idempotency (shard, key_hash, request_hash, reply, expires_at)
        select 0, sha256(convert_to('sweep' || n, 'UTF8')), '\\x00', '\\x00',
          case when n % 2 = 0 then timestamptz '2001-01-01' else timestamptz '2099-01-01' end
        from generate_series(1, 2500) as n`;
      await sql(insert);
      await runUpkeep({ store, shards, storeClock: createStoreClock(store) });
      expect(await sql('select count(*)::integer as count from idempotency')).toEqual([{ count: 1250 }]);
    });
  });

  describe('a store', () => {
    test('is made once, however many start at the same time', async () => {
      const results = await Promise.all(
        [1, 2, 3].map(() => initStore(store, { shards, clock: systemClock })),
      );
      expect(results.map(({ created }) => created)).toEqual([false, false, false]);
    });

    test('is not opened with another number of shards', async () => {
      const opened = initStore(store, { shards: shards * 2, clock: systemClock });
      await expect(opened).rejects.toBeInstanceOf(ShardsMismatch);
      expect((await source.heads()).seqs).toHaveLength(shards);
    });

    test('that was restored says so by its epoch, in heads and in rows', async () => {
      const { epoch } = await source.heads();
      const next = await startNewEpoch(store);
      expect(next).toBeGreaterThan(epoch);
      expect(await source.heads()).toMatchObject({ epoch: next });
      await issue(1);
      expect(committed.at(-1)?.epoch).toBe(next);
    });

    test('never takes an epoch that verifiers may have seen, restored from however old a backup', async () => {
      const seconds = Math.floor(systemClock.nowMs() / 1000);
      await store.transaction((tx) => tx.query({ name: '', text: 'update feed_heads set epoch = 1' }));
      const next = await startNewEpoch(store);
      expect(next).toBeGreaterThanOrEqual(seconds);
      expect(await startNewEpoch(store)).toBeGreaterThan(next);
    });
  });
}

interface CollectingSink extends Omit<SnapshotSink, 'stretch'> {
  readonly keys: KeyFact[];
  readonly owners: OwnerFact[];
  readonly keyspaces: KeyspaceFact[];
  readonly signingKeys: SigningKeyFact[];
}

function collectingSink(): CollectingSink {
  const keys: KeyFact[] = [];
  const owners: OwnerFact[] = [];
  const keyspaces: KeyspaceFact[] = [];
  const signingKeys: SigningKeyFact[] = [];
  return {
    signingKeys,
    signingKey: (fact) => void signingKeys.push(fact),
    keys,
    owners,
    keyspaces,
    key: (fact) => void keys.push(fact),
    owner: (fact) => void owners.push(fact),
    keyspace: (fact) => void keyspaces.push(fact),
  };
}

function byPlace(rows: readonly FeedRow[]): readonly FeedRow[] {
  return rows.toSorted((a, b) => a.shard - b.shard || a.seq - b.seq);
}

function byId<Fact extends { readonly id: string }>(facts: readonly Fact[]): readonly Fact[] {
  return facts.toSorted((a, b) => (a.id < b.id ? -1 : 1));
}
