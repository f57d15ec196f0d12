import { idFromUuidBytes, type KeyspaceId, type WorkspaceId } from '@keyswarm/core';
import type { Heads, Reach } from '@keyswarm/verifier';
import fc from 'fast-check';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { registryDoubtMs, registryRefreshRowsMax } from '../limits.ts';
import { migrate } from '../storage/migrate.ts';
import { createPgliteStore } from '../storage/pglite/pglite-store.ts';
import { migrationsDir } from '../storage/read-migrations.ts';
import type { Queryable, Row, Statement, Store, TransactionOptions } from '../storage/store.ts';
import { ListedTimers } from '../workers/testing/fake-workers.ts';
import { VerifierRegistry } from './verifier-registry.ts';

/* Over a real store in memory. What time is here stands until it is moved; the store's own clock runs. */

const workspaceId: WorkspaceId = idFromUuidBytes('ws', new Uint8Array(16).fill(1));
const owner = { workspaceId, credential: idFromUuidBytes('key', new Uint8Array(16).fill(2)) };
const at = (seq: number): Heads => ({ epoch: 1, seqs: [seq] });
const silent = 3_500;

/** Commits go through, fail, or go through and are not told of. */
type Weather = 'fair' | 'fails' | 'unknown';

class Weathered implements Store {
  weather: Weather = 'fair';
  readonly #inner: Store;

  constructor(inner: Store) {
    this.#inner = inner;
  }

  query<R extends object = Row>(statement: Statement, params?: readonly unknown[]): Promise<readonly R[]> {
    return this.#inner.query<R>(statement, params);
  }

  async transaction<T>(work: (tx: Queryable) => Promise<T>, options?: TransactionOptions): Promise<T> {
    const result = await this.#inner.transaction(async (tx) => {
      const done = await work(tx);
      if (this.weather === 'fails') throw new Error('a hiccup');
      return done;
    }, options);
    if (this.weather === 'unknown') throw new Error('the link broke at COMMIT');
    return result;
  }

  close(): Promise<void> {
    return this.#inner.close();
  }
}

let memory: Store;
beforeAll(async () => {
  memory = await createPgliteStore();
  await migrate(memory, migrationsDir);
}, 30_000);
afterAll(() => memory.close());
const empty = async () => {
  for (const table of ['verifier_state', 'relay_state'])
    await memory.query({ name: '', text: `delete from ${table}` });
};
beforeEach(empty);

function bench() {
  const store = new Weathered(memory);
  const time = { monotonic: 0, wall: 1_800_000_000_000 };
  const clock = { monotonicMs: () => time.monotonic, nowMs: () => time.wall };
  const relay = { id: 'here', name: 'here', region: null };
  const registry = new VerifierRegistry({
    store,
    clock,
    timers: new ListedTimers(),
    relay,
    own: undefined,
    onProblem: () => {},
  });
  const pass = (ms: number) => {
    time.monotonic += ms;
    time.wall += ms;
  };
  const ask = (id: string, seq: number, reach?: Reach) =>
    registry.admit(owner, { id, name: id, kind: 'library', applied: at(seq), leaseAgeMs: 5, reach }, []);
  const rows = async () => {
    const [relayRow] = (await registry.read([workspaceId])).relays;
    const told = relayRow?.verifiers.map(({ id, isActive }) => [id, isActive] as const) ?? [];
    return { active: new Map(told), least: relayRow?.least.get(workspaceId)?.seqs[0] };
  };
  return { store, time, registry, pass, ask, rows };
}

describe('a row that was on its way when a write failed', () => {
  test.each<Weather>(['fails', 'unknown'])('is written again: %s', async (weather) => {
    const { store, pass, ask, rows } = bench();
    await ask('cut off', 1);
    pass(silent);
    store.weather = weather;
    await expect(ask('other', 9)).rejects.toMatchObject({ code: 'stale' });
    store.weather = 'fair';
    await ask('other', 9);
    expect((await rows()).active.get('cut off')).toBe(false);
  });

  test.each<Weather>(['fails', 'unknown'])('admits nobody until another has said it: %s', async (weather) => {
    const { store, pass, ask, rows } = bench();
    await ask('back', 1);
    pass(silent);
    store.weather = weather;
    await expect(ask('other', 9)).rejects.toMatchObject({ code: 'stale' });
    await expect(ask('back', 1)).rejects.toMatchObject({ code: 'stale' });
    store.weather = 'fair';
    await ask('back', 1);
    expect(await rows()).toMatchObject({
      active: new Map([
        ['back', true],
        ['other', true],
      ]),
      least: 1,
    });
  });
});

test('in the store nobody is active whom the least of its relay does not count, whatever fails when', async () => {
  const step = fc.oneof(
    { weight: 3, arbitrary: fc.record({ ask: fc.constantFrom('a', 'b', 'c'), seq: fc.nat(3) }) },
    { weight: 2, arbitrary: fc.record({ passMs: fc.constantFrom(500, 1_100, silent, registryDoubtMs) }) },
    {
      weight: 2,
      arbitrary: fc.record({ weather: fc.constantFrom<Weather>('fair', 'fails', 'unknown') }),
    },
  );
  await fc.assert(
    fc.asyncProperty(fc.array(step, { maxLength: 25 }), async (steps) => {
      await empty();
      const { store, pass, ask, rows } = bench();
      const stands = new Map<string, number>();
      for (const one of steps) {
        if ('passMs' in one) pass(one.passMs);
        else if ('weather' in one) store.weather = one.weather;
        else {
          stands.set(one.ask, (stands.get(one.ask) ?? 0) + one.seq);
          const admitted = await ask(one.ask, stands.get(one.ask) ?? 0).then(
            () => true,
            () => false,
          );
          const { active, least } = await rows();
          if (admitted) expect(active.get(one.ask)).toBe(true);
          for (const [id, isActive] of active) {
            if (isActive) expect(least).toBeLessThanOrEqual(stands.get(id) ?? 0);
          }
        }
      }
    }),
    { numRuns: 60 },
  );
}, 60_000);

test('rows and least are as of one instant, even when time passes while they are made', async () => {
  const { registry, time, pass, ask, rows } = bench();
  await ask('slow', 1);
  pass(2_999.9);
  const isActive = registry.roll.isActive.bind(registry.roll);
  registry.roll.isActive = (entry, nowMs) => {
    const active = isActive(entry, nowMs);
    time.monotonic += 1;
    return active;
  };
  await ask('other', 9);
  const { active, least } = await rows();
  expect([active.get('slow'), least]).toEqual([true, 1]);
});

test('what another process may have swept meanwhile is there again before anybody is admitted', async () => {
  const { pass, ask, rows } = bench();
  const askAll = () =>
    Promise.all(Array.from({ length: registryRefreshRowsMax + 100 }, (_, id) => ask(`${id}`, 1)));
  await askAll();
  pass(registryDoubtMs + 1);
  await empty();
  await askAll();
  expect((await rows()).active.size).toBe(registryRefreshRowsMax + 100);
});

test('a process that was suspended together with its monotonic clock registers anew', async () => {
  const { store, time, ask } = bench();
  await ask('one', 1);
  time.wall += 5_000;
  store.weather = 'fails';
  await expect(ask('one', 1)).rejects.toMatchObject({ code: 'stale' });
});

test('nobody leaves the roll whose row may still say that it is active', async () => {
  const { store, registry, pass, ask } = bench();
  await ask('one', 1);
  store.weather = 'fails';
  pass(registryDoubtMs * 2);
  await expect(ask('other', 1)).rejects.toMatchObject({ code: 'stale' });
  registry.roll.forget();
  expect(registry.roll.size).toBe(2);
  store.weather = 'fair';
  await ask('other', 1);
  registry.roll.forget();
  expect([...registry.roll.entries()].map(({ report }) => report.id)).toEqual(['other']);
});

const [mine, theirs] = [4, 5].map((byte) => idFromUuidBytes('ks', new Uint8Array(16).fill(byte))) as [
  KeyspaceId,
  KeyspaceId,
];
const namesIn = async (registry: VerifierRegistry, keyspaceId?: KeyspaceId) => {
  const [relayRow] = (await registry.read([workspaceId], keyspaceId)).relays;
  return relayRow?.verifiers.map(({ id }) => id).sort();
};

test('who reads the registry for one keyspace is given those that may accept its keys, and all that are not known', async () => {
  const { registry, ask } = bench();
  await ask('all', 1);
  await ask('mine', 1, { keyspaces: [mine] });
  await ask('theirs', 1, { keyspaces: [theirs] });
  await ask('none', 1, { keyspaces: [] });
  await ask('all but mine', 1, { without: [mine] });
  expect(await namesIn(registry)).toHaveLength(5);
  expect(await namesIn(registry, mine)).toEqual(['all', 'mine']);
  expect(await namesIn(registry, theirs)).toEqual(['all', 'all but mine', 'theirs']);
  await memory.query({ name: '', text: 'update verifier_state set reach = null' });
  expect(await namesIn(registry, mine)).toHaveLength(5);
});

test('nobody may read more than its row says before that was written, and a row that reads less says both for a while', async () => {
  const { store, registry, time, ask, pass } = bench();
  await ask('one', 1, { keyspaces: [mine] });
  store.weather = 'fails';
  await ask('one', 1, { keyspaces: [mine] });
  await expect(ask('one', 1, { keyspaces: [mine, theirs] })).rejects.toMatchObject({ code: 'stale' });
  store.weather = 'fair';
  await ask('one', 1, { keyspaces: [mine, theirs] });
  expect(await namesIn(registry, theirs)).toEqual(['one']);
  await ask('one', 1, { keyspaces: [mine] });
  expect(await namesIn(registry, theirs)).toEqual(['one']);
  pass(3_650_000);
  expect(time.monotonic).toBeGreaterThan(3_600_000);
  await ask('one', 1, { keyspaces: [mine] });
  expect(await namesIn(registry, theirs)).toEqual([]);
});
