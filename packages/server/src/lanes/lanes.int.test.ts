import type { FeedRow, KeyRecord } from '@keyswarm/core';
import { type Postgres, startPostgres } from '@keyswarm/harness/postgres';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { verifyAudit } from '../feed/verify-audit.ts';
import { systemClock } from '../runtime/clock.ts';
import { systemTimers } from '../runtime/timers.ts';
import { createReader } from '../storage/reader.ts';
import type { Store } from '../storage/store.ts';
import { documentsConformance } from './documents.conformance.ts';
import type { RerunReason } from './lane-observer.ts';
import { silentLaneObserver } from './lane-observer.ts';
import { lanesConformance } from './lanes.conformance.ts';
import { createLanes, type RunningLanes } from './lanes.ts';
import { type CutProxy, startCutProxy } from './testing/cut-proxy.ts';
import { Sample, ticketFor } from './testing/sample.ts';
import { Gate, openServerStore, StoreBetween } from './testing/test-store.ts';
import { untilBlocked } from './testing/until-blocked.ts';

const shards = 4;
let postgres: Postgres;
beforeAll(async () => {
  postgres = await startPostgres();
});
afterAll(() => postgres.stop());

describe('lanes over PostgreSQL', () => {
  lanesConformance(async () => openServerStore(await postgres.createDatabase(), shards), shards);
  documentsConformance(async () => openServerStore(await postgres.createDatabase(), shards), shards);
});

describe('two processes on one PostgreSQL', () => {
  let url: string;
  const stores: Store[] = [];
  beforeEach(async () => {
    url = await postgres.createDatabase();
  });
  afterEach(async () => {
    await Promise.all(stores.splice(0).map((store) => store.close()));
  });

  interface Process {
    readonly store: StoreBetween;
    readonly lanes: RunningLanes;
    readonly rows: FeedRow[];
    readonly reruns: RerunReason[];
  }

  const startProcess = async (through = url): Promise<Process> => {
    const store = new StoreBetween(await openServerStore(through, shards));
    stores.push(store);
    const rows: FeedRow[] = [];
    const reruns: RerunReason[] = [];
    const lanes = createLanes({
      store,
      shards,
      clock: systemClock,
      timers: systemTimers,
      onCommitted: (committed) => rows.push(...committed),
      observer: { ...silentLaneObserver, rerun: (_, reason) => reruns.push(reason) },
    });
    return { store, lanes, rows, reruns };
  };

  const begin = async (): Promise<{ sample: Sample; one: Process; two: Process }> => {
    const sample = new Sample(shards);
    const one = await startProcess();
    const two = await startProcess();
    await one.lanes.submit(sample.createKeyspace());
    one.rows.length = 0;
    return { sample, one, two };
  };

  test('one idempotency key raced for has one effect, and both get the same reply', async () => {
    const { sample, one, two } = await begin();
    for (let round = 0; round < 20; round += 1) {
      const idempotency = ticketFor<KeyRecord>(`race ${round}`);
      const [a, b] = await Promise.all(
        [one, two].map(({ lanes }) => lanes.submit({ ...sample.issue(), idempotency })),
      );
      expect(a?.reply.id).toBe(b?.reply.id);
      expect([a?.replayed, b?.replayed].sort()).toEqual([false, true]);
    }
    expect(one.rows.length + two.rows.length).toBe(20);
  });

  test('a place that another process took first is not the one that is kept for the replay', async () => {
    const { sample, one, two } = await begin();
    for (let round = 0; round < 6; round += 1) {
      const [here, there] = round % 2 === 0 ? [one, two] : [two, one];
      const write = { ...sample.issue({ shard: 0 }), idempotency: ticketFor<KeyRecord>(`moved ${round}`) };
      const first = await here.lanes.submit(write);
      expect(first.at).toMatchObject({ shard: 0, seq: here.rows.at(-1)?.seq });
      const again = await there.lanes.submit(write);
      expect([again.at, again.replayed]).toEqual([first.at, true]);
    }
  });

  test('a second request waits for a first one that holds the key and has not committed', async () => {
    const { sample, one, two } = await begin();
    const idempotency = ticketFor<KeyRecord>('held');
    const gate = new Gate();
    const held = new Gate();
    one.store.beforeCommit = () => {
      held.open();
      return gate.passed;
    };
    const first = one.lanes.submit({ ...sample.issue({ shard: 0 }), idempotency });
    await held.passed;
    const second = two.lanes.submit({ ...sample.issue({ shard: 1 }), idempotency });
    gate.open();
    expect((await second).reply.id).toBe((await first).reply.id);
    expect(two.rows).toHaveLength(0);
  });

  test('changes of one key by both are all kept: no revision is written twice', async () => {
    const { sample, one, two } = await begin();
    const { reply: key } = await one.lanes.submit(sample.issue());
    const writes = Array.from({ length: 40 }, (_, at) =>
      (at % 2 === 0 ? one : two).lanes.submit(sample.rotate(key.id)),
    );
    const revisions = (await Promise.all(writes)).map(({ reply }) => reply.revision);
    expect(revisions.sort((a, b) => a - b)).toEqual(revisions.map((_, at) => at + 2));
    const found = await createReader(one.store, { shards }).key(sample.workspaceId, key.id);
    expect(found?.versions.map((version) => version.number)).toEqual([39, 40, 41]);
  });

  test('an owner is suspended once, whoever asks, though owners are not locked at first', async () => {
    const { sample, one, two } = await begin();
    await one.lanes.submit(sample.issue());
    const owner = sample.owner('billing');
    const held = new Gate();
    const gate = new Gate();
    one.store.beforeCommit = () => {
      held.open();
      return gate.passed;
    };
    const first = one.lanes.submit(sample.suspendOwner(owner.id));
    await held.passed;
    const second = two.lanes.submit(sample.suspendOwner(owner.id));
    await untilBlocked(postgresStore());
    gate.open();
    await expect(second).rejects.toMatchObject({ code: 'already_suspended' });
    await first;
    expect(two.reruns).toContain('revision_race');
  });

  test('an owner first seen by both at the same time is one owner', async () => {
    const { sample, one, two } = await begin();
    await Promise.all(
      Array.from({ length: 40 }, (_, at) =>
        (at % 2 === 0 ? one : two).lanes.submit(sample.issue({ externalId: `owner ${at % 5}` })),
      ),
    );
    const owners = await createReader(one.store, { shards }).owners(sample.workspaceId, {}, { limit: 100 });
    expect(owners).toHaveLength(5);
  });

  describe('a link that breaks at COMMIT', () => {
    let proxy: CutProxy;
    beforeEach(async () => {
      proxy = await startCutProxy(url);
    });
    afterEach(() => proxy.close());

    const beginBehindProxy = async (): Promise<{ sample: Sample; far: Process }> => {
      const { sample } = await begin();
      return { sample, far: await startProcess(proxy.url) };
    };
    const expectOnce = async (sample: Sample, far: Process, reply: KeyRecord): Promise<void> => {
      const keys = await createReader(far.store, { shards }).keys(
        sample.workspaceId,
        {},
        { limit: 10 },
        systemClock.nowMs(),
      );
      expect(keys).toEqual([reply]);
      expect(far.rows.map((row) => row.subject)).toEqual([reply.id]);
    };

    test('after the commit: it is found, and the caller gets the reply', async () => {
      const { sample, far } = await beginBehindProxy();
      const met = proxy.cutNext('after');
      const { reply } = await far.lanes.submit(sample.issue());
      await met;
      await expectOnce(sample, far, reply);
      expect(far.reruns).toEqual([]);
    });

    test('before the commit: it is not found, and runs again', async () => {
      const { sample, far } = await beginBehindProxy();
      const met = proxy.cutNext('before');
      const { reply } = await far.lanes.submit(sample.issue());
      await met;
      await expectOnce(sample, far, reply);
      expect(far.reruns).toEqual(['outcome_unknown']);
    });

    test('because the session was terminated: it runs again, and only once', async () => {
      const { sample, far } = await beginBehindProxy();
      const met = proxy.cutNext('hold');
      const submitted = far.lanes.submit({ ...sample.issue(), idempotency: ticketFor<KeyRecord>('killed') });
      await met;
      const killed = await postgresStore().query({
        name: '',
        text: `select pg_terminate_backend(pid) from pg_stat_activity
          where datname = current_database() and state = 'idle in transaction'`,
      });
      expect(killed).toHaveLength(1);
      proxy.release();
      await expectOnce(sample, far, (await submitted).reply);
    });

    test('and a store that stays away: the caller is told that nobody knows', async () => {
      const { sample } = await begin();
      const store = new StoreBetween(await openServerStore(proxy.url, shards));
      stores.push(store);
      const limits = { outcomeMsMax: 200, outcomePauseMs: 20 };
      const lanes = createLanes({
        store,
        shards,
        clock: systemClock,
        timers: systemTimers,
        limits,
        onCommitted: () => {},
      });
      const met = proxy.cutNext('after');
      const submitted = lanes.submit(sample.issue());
      await met;
      await proxy.close();
      await expect(submitted).rejects.toMatchObject({ code: 'outcome_unknown' });
      await expect(lanes.submit(sample.issue())).rejects.toMatchObject({ code: 'store_unavailable' });
    });
  });

  test('with an idle transaction in the way, the chains of all shards hold and have no hole', async () => {
    const { sample, one, two } = await begin();
    const gate = new Gate();
    const idle = one.store.inner.transaction(async (tx) => {
      await tx.query({ name: '', text: 'select count(*) from keys' });
      await gate.passed;
    });
    await Promise.all(
      Array.from({ length: 200 }, (_, at) => (at % 2 === 0 ? one : two).lanes.submit(sample.issue())),
    );
    for (let shard = 0; shard < shards; shard += 1) {
      expect(await verifyAudit(one.store, shard)).toMatchObject({ ok: true });
    }
    const seqs = [...one.rows, ...two.rows].map((row) => `${row.shard}/${row.seq}`);
    expect(new Set(seqs).size).toBe(200);
    gate.open();
    await idle;
  });

  /** A connection that no lane uses. */
  function postgresStore(): Store {
    const store = stores[0];
    if (store === undefined) throw new Error('no process was started');
    return store instanceof StoreBetween ? store.inner : store;
  }
});
