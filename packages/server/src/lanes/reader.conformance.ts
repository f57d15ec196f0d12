import { type FeedRow, type KeyRecord, type KeyState, keyStateAt } from '@keyswarm/core';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { systemClock } from '../runtime/clock.ts';
import { systemTimers } from '../runtime/timers.ts';
import { createReader } from '../storage/reader.ts';
import type { Reader } from '../storage/reader-port.ts';
import type { Store } from '../storage/store.ts';
import { createLanes, type RunningLanes } from './lanes.ts';
import { Sample } from './testing/sample.ts';

/** What the reader has to find of what lanes have written, on every store. */
export function readerConformance(openStore: () => Promise<Store>, shards: number): void {
  let store: Store;
  let reader: Reader;
  let lanes: RunningLanes;
  const rows: FeedRow[] = [];
  const sample = new Sample(shards);
  const other = new Sample(shards);
  /** As they are in the end, by id. */
  let keys: readonly KeyRecord[];
  const dayMs = 86_400_000;
  const nowMs = systemClock.nowMs();

  beforeAll(async () => {
    store = await openStore();
    reader = createReader(store, { shards });
    const onCommitted = (committed: readonly FeedRow[]) => void rows.push(...committed);
    lanes = createLanes({ store, shards, clock: systemClock, timers: systemTimers, onCommitted });
    await Promise.all([sample, other].map((one) => lanes.submit(one.createKeyspace())));
    await lanes.submit(other.issue());
    keys = byId(await writeKeys());
  }, 60_000);
  afterAll(() => store.close());

  /** Forty keys of four owners, of every state there is or will be. */
  const writeKeys = async (): Promise<readonly KeyRecord[]> => {
    const wishes = Array.from({ length: 40 }, (_, at) => ({
      externalId: `owner ${at % 4}`,
      ...(at % 5 === 1 ? { expiresAtMs: nowMs + dayMs } : {}),
      ...(at % 5 === 2 ? { notBeforeMs: nowMs + dayMs } : {}),
      ...(at % 7 === 3 ? { expiresAtMs: nowMs + 3 * dayMs, notBeforeMs: nowMs + 2 * dayMs } : {}),
    }));
    const issued = await Promise.all(wishes.map((wish) => lanes.submit(sample.issue(wish))));
    return Promise.all(
      issued.map(async ({ reply }, at) => {
        if (at % 3 === 0) return (await lanes.submit(sample.revoke(reply.id))).reply;
        if (at % 4 === 1) return (await lanes.submit(sample.suspend(reply.id))).reply;
        return at % 4 === 2 ? (await lanes.submit(sample.rotate(reply.id))).reply : reply;
      }),
    );
  };

  describe('keys', () => {
    test('are found by id, as they are', async () => {
      for (const key of keys) expect(await reader.key(sample.workspaceId, key.id)).toEqual(key);
    });

    test('are listed by id, page after page, each once', async () => {
      const listed: KeyRecord[] = [];
      for (;;) {
        const page = { after: listed.at(-1)?.id, limit: 7 };
        const next = await reader.keys(sample.workspaceId, {}, page, nowMs);
        listed.push(...next);
        if (next.length < 7) break;
      }
      expect(listed).toEqual(keys);
    });

    test('are listed by keyspace, by owner, by both', async () => {
      const ownerId = sample.owner('owner 2').id;
      const keyspaceId = sample.keyspace.id;
      const list = (filter: Parameters<Reader['keys']>[1]) =>
        reader.keys(sample.workspaceId, filter, { limit: 100 }, nowMs);
      const owned = keys.filter((key) => key.ownerId === ownerId);
      expect(owned).toHaveLength(10);
      expect(await list({ ownerId })).toEqual(owned);
      expect(await list({ keyspaceId })).toEqual(keys);
      expect(await list({ keyspaceId, ownerId })).toEqual(owned);
      expect(await list({ keyspaceId: other.keyspace.id, ownerId })).toEqual([]);
    });

    test('are listed by their state as the core has it, at any instant', async () => {
      const states: readonly KeyState[] = ['pending', 'active', 'suspended', 'revoked', 'expired'];
      const seen = new Set<KeyState>();
      for (const atMs of [0, 1, 2, 3, 4].map((days) => nowMs + days * dayMs)) {
        for (const state of states) {
          const expected = keys.filter((key) => keyStateAt(key, atMs) === state);
          const found = await reader.keys(sample.workspaceId, { state }, { limit: 100 }, atMs);
          expect(found).toEqual(expected);
          if (found.length > 0) seen.add(state);
        }
      }
      expect([...seen].sort()).toEqual([...states].sort());
    });
  });

  describe('owners and keyspaces', () => {
    test('are found and listed', async () => {
      const owners = await reader.owners(sample.workspaceId, {}, { limit: 100 });
      const names = ['owner 0', 'owner 1', 'owner 2', 'owner 3'];
      expect(owners.map(({ externalId }) => externalId).sort()).toEqual(names);
      expect(owners.map(({ id }) => id)).toEqual(owners.map(({ id }) => id).sort());
      const [first, second] = owners;
      if (first === undefined || second === undefined) throw new Error('there are four owners');
      expect(await reader.owner(sample.workspaceId, first.id)).toEqual(first);
      expect(await reader.owners(sample.workspaceId, {}, { after: first.id, limit: 1 })).toEqual([second]);
      const named = { externalId: first.externalId };
      expect(await reader.owners(sample.workspaceId, named, { limit: 10 })).toEqual([first]);
      expect(await reader.owners(sample.workspaceId, { ...named, kind: 'user' }, { limit: 10 })).toEqual([]);
      expect(await reader.owners(sample.workspaceId, { kind: 'service' }, { limit: 2 })).toHaveLength(2);
    });

    test('a keyspace by id, by name, in a list', async () => {
      const { workspaceId, keyspace } = sample;
      expect(await reader.keyspace(workspaceId, keyspace.id)).toEqual(keyspace);
      expect(await reader.keyspaceByName(workspaceId, keyspace.name)).toEqual(keyspace);
      expect(await reader.keyspaceByName(workspaceId, 'nobody')).toBeUndefined();
      expect(await reader.keyspaces(workspaceId, { limit: 10 })).toEqual([keyspace]);
      expect(await reader.keyspaces(workspaceId, { after: keyspace.id, limit: 10 })).toEqual([]);
    });
  });

  test('what belongs to another workspace is not there', async () => {
    const { workspaceId } = other;
    const key = keys[0];
    if (key === undefined) throw new Error('there are keys');
    expect(await reader.key(workspaceId, key.id)).toBeUndefined();
    expect(await reader.owner(workspaceId, key.ownerId)).toBeUndefined();
    expect(await reader.keyspace(workspaceId, key.keyspaceId)).toBeUndefined();
    expect(await reader.keys(workspaceId, { ownerId: key.ownerId }, { limit: 10 }, nowMs)).toEqual([]);
    expect(await reader.keys(workspaceId, {}, { limit: 10 }, nowMs)).toHaveLength(1);
    expect((await reader.events(workspaceId, { limit: 100 })).rows).toHaveLength(2);
  });

  describe('events', () => {
    const readAll = async (query: Omit<Parameters<Reader['events']>[1], 'after'>) => {
      const found: FeedRow[] = [];
      const pages: number[] = [];
      let after: readonly number[] | undefined;
      for (let page = 0; page < 200; page += 1) {
        const next = await reader.events(sample.workspaceId, { ...query, after });
        expect(next.next.every((seq, shard) => seq >= (after?.[shard] ?? 0))).toBe(true);
        if (after !== undefined && next.next.every((seq, shard) => seq === after?.[shard])) break;
        found.push(...next.rows);
        pages.push(next.rows.length);
        after = next.next;
      }
      return { found, pages };
    };
    const own = () => rows.filter(({ workspaceId }) => workspaceId === sample.workspaceId);

    test('are all read, each once, whatever the page', async () => {
      for (const limit of [1, 3, 10, 1000]) {
        const { found, pages } = await readAll({ limit });
        expect(byPlace(found)).toEqual(byPlace(own()));
        expect(Math.max(...pages)).toBeLessThanOrEqual(limit);
      }
    });

    test('come in the order of their shard, and of time within a page', async () => {
      const { rows: page } = await reader.events(sample.workspaceId, { limit: 1000 });
      const times = page.map(({ atMs }) => atMs);
      expect(times).toEqual(times.toSorted((a, b) => a - b));
      for (let shard = 0; shard < shards; shard += 1) {
        const seqs = page.filter((row) => row.shard === shard).map(({ seq }) => seq);
        expect(seqs).toEqual(seqs.toSorted((a, b) => a - b));
      }
    });

    test('are filtered by type, and a filter that finds nothing still moves on', async () => {
      const types = ['key.revoked' as const];
      const { found } = await readAll({ limit: 2, types });
      expect(byPlace(found)).toEqual(byPlace(own().filter(({ type }) => type === 'key.revoked')));
      const none = await reader.events(sample.workspaceId, { limit: 2, types: ['owner.resumed'] });
      expect(none.rows).toEqual([]);
      expect(none.next.reduce((sum, seq) => sum + seq, 0)).toBe(rows.length);
    });

    test('stop before one that can not be read, in its shard alone, and go on once it can be', async () => {
      const before = (await reader.events(sample.workspaceId, { limit: 1000 })).next;
      const known = rows.length;
      await Promise.all(Array.from({ length: 8 }, () => lanes.submit(sample.issue())));
      const issued = rows.slice(known);
      const { shard = 0, seq = 0 } = issued[0] ?? {};
      const change = (to: string) => ({
        name: '',
        text: `update feed set body = jsonb_set(body::jsonb, '{v}', '${to}')::json where shard = $1::smallint and seq = $2::bigint`,
      });
      await store.query(change('99'), [shard, seq]);
      const stopped = await reader.events(sample.workspaceId, { after: before, limit: 1000 });
      expect(stopped.next[shard]).toBe(seq - 1);
      expect(stopped.rows.filter((row) => row.shard !== shard)).toHaveLength(
        issued.filter((row) => row.shard !== shard).length,
      );
      const former = (field: string) => ({
        name: '',
        text: `update feed set body = jsonb_set(body::jsonb, '{epoch}', ((body->>'epoch')::integer ${field})::text::jsonb)::json
          where shard = $1::smallint and seq = $2::bigint`,
      });
      await store.query(former('- 1'), [shard, seq]);
      const passed = await reader.events(sample.workspaceId, { after: stopped.next, limit: 1000 });
      expect(passed.next[shard]).toBeGreaterThanOrEqual(seq);
      await store.query(former('+ 1'), [shard, seq]);
      await store.query(change('1'), [shard, seq]);
      const { rows: rest } = await reader.events(sample.workspaceId, { after: stopped.next, limit: 1000 });
      expect(rest.map((row) => row.seq)).toContain(seq);
    });

    test('that come later are read from where the last page ended', async () => {
      const { next } = await reader.events(sample.workspaceId, { limit: 1000 });
      const { reply } = await lanes.submit(sample.issue());
      const { rows: page } = await reader.events(sample.workspaceId, { after: next, limit: 10 });
      expect(page.map(({ subject }) => subject)).toEqual([reply.id]);
      await lanes.submit(sample.revoke(reply.id));
    });
  });
}

function byId(records: readonly KeyRecord[]): readonly KeyRecord[] {
  return records.toSorted((a, b) => (a.id < b.id ? -1 : 1));
}

function byPlace(rows: readonly FeedRow[]): readonly FeedRow[] {
  return rows.toSorted((a, b) => a.shard - b.shard || a.seq - b.seq);
}
