import type { KeyRecord } from '@keyswarm/core';
import { type Postgres, startPostgres } from '@keyswarm/harness/postgres';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { systemClock } from '../runtime/clock.ts';
import { systemTimers } from '../runtime/timers.ts';
import { createPostgresStore } from '../storage/postgres/postgres-store.ts';
import type { Store } from '../storage/store.ts';
import { createLanes, type RunningLanes } from './lanes.ts';
import { Sample, ticketFor } from './testing/sample.ts';
import { openServerStore } from './testing/test-store.ts';

/*
 * A commit whose wait for the standby was broken off is visible on the primary, and a failover would lose it. The server
 * waits for a standby that does not exist, in sessions that are begun after it was told to.
 */

const shards = 4;
let postgres: Postgres;
/** Looks at the sessions of the others, from another database. */
let observer: Store;
let url: string;
const stores: Store[] = [];

beforeAll(async () => {
  postgres = await startPostgres({ own: true, settings: { synchronous_commit: 'local' } });
  observer = createPostgresStore({ url: postgres.url, connectionsMax: 2 });
  url = await postgres.createDatabase('waits');
});
afterAll(async () => {
  await Promise.all([observer, ...stores].map((store) => store.close()));
  await postgres.stop('immediate');
});

const say = (text: string) => observer.query<{ pid: number }>({ name: '', text });
const waiting = () => say(`select pid from pg_stat_activity where wait_event = 'SyncRep'`);
const terminateWaiting = () =>
  say(`select pg_terminate_backend(pid, 5000) from pg_stat_activity where wait_event = 'SyncRep'`);
const expectWaiting = () => expect.poll(waiting, { timeout: 20_000, interval: 10 }).toHaveLength(1);

async function startProcess(): Promise<RunningLanes> {
  const store = await openServerStore(url, shards);
  stores.push(store);
  const limits = { outcomeMsMax: 300, outcomePauseMs: 20 };
  return createLanes({
    store,
    shards,
    clock: systemClock,
    timers: systemTimers,
    limits,
    onCommitted: () => {},
  });
}

test('a retry is not answered out of a commit that no standby has confirmed: it waits for the standby itself', async () => {
  const sample = new Sample(shards);
  await (await startProcess()).submit(sample.createKeyspace());
  await say(`alter database waits set synchronous_commit = 'on'`);
  // The schema is there, so a process that starts now writes nothing.
  const [first, second] = [await startProcess(), await startProcess()];
  await say(`alter system set synchronous_standby_names = 'nobody'`);
  await say('select pg_reload_conf()');
  const write = { ...sample.issue({ shard: 0 }), idempotency: ticketFor<KeyRecord>('unconfirmed') };

  const asked = first.submit(write).catch((error: unknown) => error);
  await expectWaiting();
  await terminateWaiting();
  expect(await asked).toMatchObject({ code: 'outcome_unknown' });
  // What the first process looked with waits as well, and holds the head: it is out of the way of the second.
  await terminateWaiting();

  let isAnswered = false;
  const retried = second.submit(write).finally(() => {
    isAnswered = true;
  });
  await expectWaiting();
  expect(isAnswered).toBe(false);
  await say('alter system reset synchronous_standby_names');
  await say('select pg_reload_conf()');
  expect(await retried).toMatchObject({ replayed: true });
});
