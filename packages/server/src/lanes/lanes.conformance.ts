import { Fault, type FeedRow, type KeyRecord } from '@keyswarm/core';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { verifyAudit } from '../feed/verify-audit.ts';
import { systemClock } from '../runtime/clock.ts';
import { systemRandom } from '../runtime/random.ts';
import { systemTimers } from '../runtime/timers.ts';
import { createReader } from '../storage/reader.ts';
import type { Store } from '../storage/store.ts';
import type { LaneLimits } from './lane-limits.ts';
import type { LaneWrite } from './lane-port.ts';
import { createLanes, type RunningLanes } from './lanes.ts';
import { Sample, ticketFor } from './testing/sample.ts';
import { Gate, StoreBetween } from './testing/test-store.ts';

/** What every store has to let the lanes promise. */
export function lanesConformance(openStore: () => Promise<Store>, shards: number): void {
  let store: StoreBetween;
  beforeAll(async () => {
    store = new StoreBetween(await openStore());
  }, 60_000);
  afterAll(() => store.close());

  const open = (limits: Partial<LaneLimits> = {}, rows: FeedRow[] = []): RunningLanes =>
    createLanes({
      store,
      shards,
      clock: systemClock,
      timers: systemTimers,
      limits,
      onCommitted: (committed) => rows.push(...committed),
    });
  const begin = async (): Promise<{ sample: Sample; lanes: RunningLanes; rows: FeedRow[] }> => {
    const sample = new Sample(shards);
    const rows: FeedRow[] = [];
    const lanes = open({}, rows);
    await lanes.submit(sample.createKeyspace());
    rows.length = 0;
    return { sample, lanes, rows };
  };
  const read = (sample: Sample, key: KeyRecord) =>
    createReader(store, { shards }).key(sample.workspaceId, key.id);

  describe('group commit', () => {
    test('writes that arrive together share a transaction, and each has its own reply', async () => {
      const { sample, lanes } = await begin();
      const before = store.transactions;
      const writes = Array.from({ length: 200 }, (_, at) => sample.issue({ name: `key ${at}` }));
      const receipts = await Promise.all(writes.map((write) => lanes.submit(write)));
      expect(store.transactions - before).toBeLessThanOrEqual(2 * shards);
      expect(receipts.map(({ reply }) => reply.name)).toEqual(writes.map((_, at) => `key ${at}`));
      for (const { reply } of receipts.slice(0, 5)) expect(await read(sample, reply)).toEqual(reply);
    });

    test('each write is told where it stands in the feed, and a refused one takes no number', async () => {
      const { sample, lanes, rows } = await begin();
      const good = () => sample.issue({ shard: 0 });
      const bad = { ...good(), decide: () => refuse() };
      const twice = { ...good(), idempotency: ticketFor<KeyRecord>('placed') };
      const settled = await Promise.allSettled(
        [good(), bad, twice, good()].map((write) => lanes.submit(write)),
      );
      const receipts = settled.flatMap((one) => (one.status === 'fulfilled' ? [one.value] : []));
      expect(receipts.map(({ at }) => at)).toEqual(
        rows.map(({ epoch, shard, seq }) => ({ epoch, shard, seq })),
      );
      expect(receipts.map(({ reply }) => reply.id)).toEqual(rows.map((row) => row.subject));
      const again = await lanes.submit(twice);
      expect([again.at, again.replayed]).toEqual([receipts[1]?.at, true]);
      const idle = await lanes.submit<null>({
        shard: 0,
        weight: 1,
        actor: sample.actor,
        reads: {},
        decide: () => ({ changes: [], reply: null }),
      });
      expect(idle.at).toBeNull();
    });

    test('new things made where the lanes advise share fewer transactions, and use every shard in turn', async () => {
      const { sample, lanes } = await begin();
      const used = new Set<number>();
      for (let round = 0; round < 2 * shards; round += 1) {
        const before = store.transactions;
        const writes = Array.from({ length: 20 }, () => sample.issue({ shard: lanes.shardForNew(1) }));
        await Promise.all(writes.map((write) => lanes.submit(write)));
        for (const { shard } of writes) used.add(shard);
        expect(store.transactions - before).toBe(1);
      }
      expect(used.size).toBe(shards);
    });

    test('new things too many for one batch are advised to several shards', async () => {
      const { lanes } = await begin();
      const advised = Array.from({ length: 4 }, () => lanes.shardForNew(400));
      expect(new Set(advised).size).toBe(Math.min(4, shards));
    });

    test('a batch is bounded, and a write over the bound goes alone', async () => {
      const { sample } = await begin();
      const lanes = open({ batchWeightMax: 10 });
      const before = store.transactions;
      const heavy = { ...sample.issue({ shard: 0 }), weight: 50 };
      const light = Array.from({ length: 20 }, () => sample.issue({ shard: 0 }));
      await Promise.all([heavy, ...light].map((write) => lanes.submit(write)));
      expect(store.transactions - before).toBe(3);
    });

    test('changes of one key in one batch are decided one after the other', async () => {
      const { sample, lanes, rows } = await begin();
      const { reply: key } = await lanes.submit(sample.issue());
      const before = store.transactions;
      const receipts = await Promise.all([
        lanes.submit(sample.suspend(key.id)),
        lanes.submit(sample.resume(key.id)),
        lanes.submit(sample.rotate(key.id)),
      ]);
      expect(store.transactions - before).toBe(1);
      expect(receipts.map(({ reply }) => reply.revision)).toEqual([2, 3, 4]);
      expect(await read(sample, key)).toEqual(receipts[2]?.reply);
      expect(rows.map((row) => row.key?.revision)).toEqual([1, 2, 3, 4]);
    });

    test('a key comes back with its newest three versions, whatever came before', async () => {
      const { sample, lanes } = await begin();
      const { reply: key } = await lanes.submit(sample.issue());
      for (let round = 0; round < 4; round += 1) await lanes.submit(sample.rotate(key.id));
      const found = await read(sample, key);
      expect(found?.versions.map((version) => version.number)).toEqual([3, 4, 5]);
      const { reply } = await lanes.submit(sample.rotate(key.id));
      expect(await read(sample, key)).toEqual(reply);
    });

    test('times come back to the millisecond, up to the last one there is', async () => {
      const { sample, lanes } = await begin();
      const expiresAtMs = systemClock.nowMs() + 99 * 366 * 86_400_000 + 1;
      const notBeforeMs = expiresAtMs - 333;
      const { reply } = await lanes.submit(sample.issue({ expiresAtMs, notBeforeMs }));
      expect(await read(sample, reply)).toMatchObject({ expiresAtMs, notBeforeMs });
    });

    test('this process is told of the rows before the caller is', async () => {
      const { sample, lanes, rows } = await begin();
      const seen = await Promise.all(
        Array.from({ length: 20 }, async () => {
          const { reply } = await lanes.submit(sample.issue());
          return rows.some((row) => row.subject === reply.id);
        }),
      );
      expect(seen).toEqual(seen.map(() => true));
    });
  });

  describe('a bad write fails alone', () => {
    const withNeighbours = async <Reply>(
      sample: Sample,
      lanes: RunningLanes,
      bad: LaneWrite<Reply>,
    ): Promise<unknown> => {
      const { shard } = bad;
      const results = await Promise.allSettled([
        lanes.submit(sample.issue({ shard })),
        lanes.submit(bad),
        lanes.submit(sample.issue({ shard })),
      ]);
      expect(results.map(({ status }) => status)).toEqual(['fulfilled', 'rejected', 'fulfilled']);
      for (const result of [results[0], results[2]]) {
        if (result?.status === 'fulfilled') expect(await read(sample, result.value.reply)).toBeDefined();
      }
      return results[1]?.status === 'rejected' ? results[1].reason : undefined;
    };

    test('when it throws a fault', async () => {
      const { sample, lanes } = await begin();
      const error = await withNeighbours(sample, lanes, sample.issue({ shard: 0, scopes: ['billing:read'] }));
      expect(error).toMatchObject({ code: 'scope_not_allowed' });
    });

    test('when SQL refuses it', async () => {
      const { sample, lanes } = await begin();
      const error = await withNeighbours(sample, lanes, sample.issue({ shard: 0, name: 'a\0b' }));
      expect(error).toMatchObject({ code: 'internal' });
    });

    test('when it is a bug', async () => {
      const { sample, lanes } = await begin();
      const bug = new TypeError('a bug');
      const write = sample.issue({ shard: 0 });
      const decide = () => {
        throw bug;
      };
      expect(await withNeighbours(sample, lanes, { ...write, decide })).toBe(bug);
    });

    test('when no follower could read its row', async () => {
      const { sample, lanes } = await begin();
      const write = sample.issue({ shard: 0 });
      const decide: typeof write.decide = (view, nowMs) => {
        const decision = write.decide(view, nowMs);
        return {
          ...decision,
          changes: decision.changes.map((change) =>
            change.kind === 'key' ? { ...change, after: { ...change.after, scopes: ['b', 'a'] } } : change,
          ),
        };
      };
      const error = await withNeighbours(sample, lanes, { ...write, decide });
      expect(error).toMatchObject({ name: 'AssertionBroken' });
      // It had put its key before it was refused: its neighbours must not have taken that along.
      const page = { limit: 10 };
      const keys = await createReader(store, { shards }).keys(
        sample.workspaceId,
        {},
        page,
        systemClock.nowMs(),
      );
      expect(keys).toHaveLength(2);
    });

    test('when it saw what it had not named in its reads', async () => {
      const { sample, lanes } = await begin();
      const write = sample.issue({ shard: 0, externalId: 'of no neighbour' });
      const error = await withNeighbours(sample, lanes, { ...write, reads: {} });
      expect(error).toMatchObject({ name: 'AssertionBroken' });
    });

    test('when its name or its fingerprint is taken', async () => {
      const { sample, lanes } = await begin();
      const again = { ...new Sample(shards).keyspace, workspaceId: sample.workspaceId };
      const lastByte = {
        ...again,
        id: sample.keyspace.id.slice(0, -4).concat('zz', sample.keyspace.id.slice(-2)),
      };
      const twin = sample.createKeyspace(lastByte as typeof again);
      expect(await withNeighbours(sample, lanes, twin)).toMatchObject({ code: 'name_taken' });
      const fingerprint = systemRandom.bytes(32);
      await lanes.submit(sample.issue({ shard: 0, fingerprint }));
      const { decide, ...unasked } = sample.issue({ shard: 0, fingerprint });
      const blind: typeof decide = (view, nowMs) =>
        decide({ ...bound(view), hasFingerprint: () => false }, nowMs);
      const error = await withNeighbours(sample, lanes, { ...unasked, decide: blind });
      expect(error).toMatchObject({ code: 'already_imported' });
    });

    test('and a fingerprint twice in one batch is seen by the second write', async () => {
      const { sample, lanes } = await begin();
      const fingerprint = systemRandom.bytes(32);
      const results = await Promise.allSettled([
        lanes.submit(sample.issue({ shard: 0, fingerprint })),
        lanes.submit(sample.issue({ shard: 0, fingerprint })),
      ]);
      expect(results[0]?.status).toBe('fulfilled');
      expect(results[1]).toMatchObject({ reason: { code: 'already_imported' } });
    });
  });

  describe('idempotency', () => {
    test('a repeated request has one effect and the same reply', async () => {
      const { sample, lanes, rows } = await begin();
      const idempotency = ticketFor<KeyRecord>('repeat');
      const first = await lanes.submit({ ...sample.issue(), idempotency });
      const second = await lanes.submit({ ...sample.issue(), idempotency });
      expect(first.replayed).toBe(false);
      expect(second.replayed).toBe(true);
      expect(second.reply.id).toBe(first.reply.id);
      expect(rows).toHaveLength(1);
    });

    test('while the first is under way the second is told so', async () => {
      const { sample, lanes } = await begin();
      const idempotency = ticketFor<KeyRecord>('under way');
      const first = lanes.submit({ ...sample.issue(), idempotency });
      await expect(lanes.submit({ ...sample.issue(), idempotency })).rejects.toMatchObject({
        code: 'idempotency_in_progress',
      });
      await first;
    });

    test('another request under the same key is refused, in whatever lane it runs', async () => {
      const { sample, lanes, rows } = await begin();
      const one = { ...sample.issue({ shard: 0 }), idempotency: ticketFor<KeyRecord>('other', 'a') };
      const two = { ...sample.issue({ shard: 1 }), idempotency: ticketFor<KeyRecord>('other', 'b') };
      await lanes.submit(one);
      await expect(lanes.submit(two)).rejects.toMatchObject({ code: 'idempotency_mismatch' });
      expect(rows).toHaveLength(1);
    });

    test('a refused request keeps no reply: it may be sent again', async () => {
      const { sample, lanes } = await begin();
      const idempotency = ticketFor<KeyRecord>('refused');
      const bad = { ...sample.issue({ scopes: ['billing:read'] }), idempotency };
      await expect(lanes.submit(bad)).rejects.toBeInstanceOf(Fault);
      expect(await lanes.submit({ ...sample.issue(), idempotency })).toMatchObject({ replayed: false });
    });

    test('a reply that has run out gives way, even before it is swept', async () => {
      const { sample } = await begin();
      const lanes = open({ replyKeptMs: 0 });
      const idempotency = ticketFor<KeyRecord>('run out');
      const first = await lanes.submit({ ...sample.issue(), idempotency });
      const second = await lanes.submit({ ...sample.issue(), idempotency });
      expect(second).toMatchObject({ replayed: false });
      expect(second.reply.id).not.toBe(first.reply.id);
    });
  });

  describe('bounds', () => {
    test('a full lane turns writes away at once, and says when to come again', async () => {
      const { sample } = await begin();
      const lanes = open({ queueWeightMax: 2 });
      const results = await Promise.allSettled(
        Array.from({ length: 5 }, () => lanes.submit(sample.issue({ shard: 0 }))),
      );
      expect(results.filter(({ status }) => status === 'fulfilled')).toHaveLength(2);
      const refused = results.find((result) => result.status === 'rejected');
      expect(refused).toMatchObject({ reason: { code: 'overloaded', retryAfterMs: expect.any(Number) } });
    });

    test('a write that waits too long is refused, and not written later', async () => {
      const { sample } = await begin();
      const lanes = open({ transactionsMax: 1, waitMsMax: 30 });
      const gate = new Gate();
      store.beforeCommit = () => gate.passed;
      const first = lanes.submit(sample.issue({ shard: 0, name: 'first' }));
      const late = lanes.submit(sample.issue({ shard: 1, name: 'late' }));
      await expect(late).rejects.toMatchObject({ code: 'overloaded' });
      store.beforeCommit = async () => {};
      gate.open();
      await first;
      await lanes.drain();
      const keys = await createReader(store, { shards }).keys(
        sample.workspaceId,
        {},
        { limit: 10 },
        systemClock.nowMs(),
      );
      expect(keys.map(({ name }) => name)).toEqual(['first']);
    });

    test('a drain settles what was taken in and takes in nothing more', async () => {
      const { sample, lanes } = await begin();
      const pending = Array.from({ length: 10 }, () => lanes.submit(sample.issue()));
      const drained = lanes.drain();
      await expect(lanes.submit(sample.issue())).rejects.toMatchObject({ code: 'shutting_down' });
      await drained;
      await expect(Promise.all(pending)).resolves.toHaveLength(10);
    });
  });

  test('every change leaves one audit record, and the chain holds', async () => {
    const { sample, lanes } = await begin();
    await Promise.all(Array.from({ length: 30 }, () => lanes.submit(sample.issue())));
    for (let shard = 0; shard < shards; shard += 1) {
      const counted = { name: '', text: 'select seq from feed_heads where shard = $1' };
      const [head] = await store.query<{ seq: number }>(counted, [shard]);
      const check = await verifyAudit(store, shard, { pageRows: 7 });
      expect(check).toEqual({ ok: true, records: head?.seq });
    }
  });
}

/** The methods of a view as an object that can be spread. */
function bound(view: Parameters<LaneWrite<unknown>['decide']>[0]): typeof view {
  return {
    key: (id) => view.key(id),
    owner: (id) => view.owner(id),
    keyspace: (id) => view.keyspace(id),
    document: (id) => view.document(id),
    hasFingerprint: (fingerprint) => view.hasFingerprint(fingerprint),
  };
}

function refuse(): never {
  throw new Fault('not_found', { detail: 'planned', field: '/x' });
}
