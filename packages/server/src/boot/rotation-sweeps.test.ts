import { createKeyspace, type KeyId, type KeyRecord, type UnheardVerifier, uuidHexOf } from '@keyswarm/core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { finishSettledRotations, type SettlingPorts } from '../keys/finish-settled.ts';
import { requestDueRenewals } from '../keys/request-renewals.ts';
import { createLanes, type RunningLanes } from '../lanes/lanes.ts';
import { Sample } from '../lanes/testing/sample.ts';
import { openMemoryStore } from '../lanes/testing/test-store.ts';
import { systemClock } from '../runtime/clock.ts';
import { systemRandom } from '../runtime/random.ts';
import { systemTimers } from '../runtime/timers.ts';
import { createReader } from '../storage/reader.ts';
import { createRotationsReader } from '../storage/statements/read-rotations.ts';
import { writeUses } from '../storage/statements/write-uses.ts';
import type { Store } from '../storage/store.ts';

/* What the clock asks for of keys that rotate, over the embedded store. Time passes by setting what is stored back. */

const shards = 4;
const settleSeconds = 120;

let store: Store;
let lanes: RunningLanes;
let transactions = 0;
beforeAll(async () => {
  store = await openMemoryStore(shards);
  const counted: Store = {
    ...store,
    query: (...asked) => store.query(...asked),
    transaction(...asked) {
      transactions += 1;
      return store.transaction(...asked);
    },
  };
  lanes = createLanes({
    store: counted,
    shards,
    clock: systemClock,
    timers: systemTimers,
    onCommitted: () => {},
  });
}, 60_000);
afterAll(() => store.close());

const times: string[] = [];
let unheard: UnheardVerifier | null = null;
let storeNowMs = () => Date.now();
const ports = (): SettlingPorts & Parameters<typeof requestDueRenewals>[0] => ({
  lanes,
  random: systemRandom,
  rotations: createRotationsReader(store),
  rotationTimes: { firstUsed() {}, retired: (how) => void times.push(how) },
  evidence: {
    of: async () => ({ uses: [], unheard }),
    unheardIn: async () => unheard && { ...unheard, asOfMs: storeNowMs() },
    flush: async () => {},
  },
  shards,
});

/** A keyspace with rules of its own, and so many keys in it. */
async function keyspaceWith(rotation: object, count: number) {
  const sample = new Sample(shards);
  const { id, name, prefix, workspaceId } = sample.keyspace;
  const wish = { id, name, prefix, workspaceId, allowedScopes: ['orders:*'], leaseSeconds: 30, rotation };
  const keyspace = createKeyspace(wish, systemClock.nowMs());
  Object.assign(sample, { keyspace });
  await lanes.submit(sample.createKeyspace(keyspace));
  const issued = Array.from({ length: count }, () => lanes.submit(sample.issue()));
  const keys = (await Promise.all(issued)).map(({ reply }) => reply);
  const read = async (): Promise<readonly KeyRecord[]> => {
    const reader = createReader(store, { shards });
    const found = await Promise.all(keys.map((key) => reader.key(workspaceId, key.id)));
    return found.flatMap((key) => (key === undefined ? [] : [key]));
  };
  return { sample, keyspace, keys, read };
}

const sql = (text: string, params: readonly unknown[] = []) => store.query({ name: '', text }, params);

describe('rotations that have settled', () => {
  const rotating = async (count: number) => {
    const made = await keyspaceWith({ settleSeconds }, count);
    await Promise.all(made.keys.map(({ id }) => lanes.submit(made.sample.rotate(id))));
    // So long ago that it might have settled; the grace of a minute is made one of an hour.
    await sql(
      `update key_versions v set minted_at = v.minted_at - interval '10 minutes',
        retires_at = v.retires_at + interval '1 hour'
      from keys k where k.shard = v.shard and k.id = v.key_id and k.keyspace_id = $1::uuid`,
      [uuidHexOf(made.keyspace.id)],
    );
    const use = async (id: KeyId, version: number, agoSeconds: number) => {
      const atMs = Date.now() - agoSeconds * 1000;
      const { id: keyspaceId, workspaceId } = made.keyspace;
      const told = { keyId: id, keyspaceId, workspaceId, version, firstAtMs: atMs, lastAtMs: atMs };
      await store.transaction((tx) => writeUses(tx, [told], shards));
    };
    return { ...made, use };
  };
  const stateOfOld = (key: KeyRecord | undefined) => key?.versions[0]?.state;

  it('end by themselves; those that are in use, unproven or young go on', async () => {
    const { keys, read, use } = await rotating(5);
    const [settled, inUse, unproven, young, moved] = keys.map(({ id }) => id) as [
      KeyId,
      KeyId,
      KeyId,
      KeyId,
      KeyId,
    ];
    await use(settled, 2, settleSeconds + 1);
    await use(inUse, 2, settleSeconds + 1);
    await use(inUse, 1, settleSeconds - 10);
    await use(unproven, 1, settleSeconds + 100);
    await use(young, 2, settleSeconds - 10);
    await use(moved, 2, settleSeconds + 50);
    await use(moved, 1, settleSeconds + 10);
    times.length = 0;
    expect(await finishSettledRotations(ports())).toEqual({ finished: 2, unproven: 0 });
    expect((await read()).map(stateOfOld)).toEqual(['retired', 'grace', 'grace', 'grace', 'retired']);
    expect(times).toEqual(['settled', 'settled']);
    expect(await finishSettledRotations(ports()), 'once').toEqual({ finished: 0, unproven: 0 });
  });

  it('wait while a verifier is not heard of that may have accepted the old versions', async () => {
    const { keys, read, use } = await rotating(1);
    for (const { id } of keys) await use(id, 2, settleSeconds + 1);
    unheard = { name: 'edge', mayHaveAcceptedUntilMs: Date.now() - settleSeconds * 1000 + 30_000 };
    const { finished, unproven } = await finishSettledRotations(ports());
    expect([finished, unproven > 0]).toEqual([0, true]);
    expect((await read()).map(stateOfOld)).toEqual(['grace']);
    unheard = null;
    expect(await finishSettledRotations(ports())).toEqual({ finished: 1, unproven: 0 });
  });

  it('wait for that by the clock of the store, whatever the own clock of the server shows', async () => {
    const { keys, use } = await rotating(1);
    for (const { id } of keys) await use(id, 2, settleSeconds + 1);
    // This server is an hour ahead: by its own clock the verifier has been without a lease for long.
    storeNowMs = () => Date.now() - 3_600_000;
    unheard = { name: 'edge', mayHaveAcceptedUntilMs: storeNowMs() - settleSeconds * 1000 + 30_000 };
    const { finished, unproven } = await finishSettledRotations(ports());
    expect([finished, unproven > 0]).toEqual([0, true]);
    unheard = null;
    storeNowMs = () => Date.now();
    expect((await finishSettledRotations(ports())).finished).toBe(1);
  });

  it('are ended by sets: a thousand of them by a few transactions, each told of in the feed', async () => {
    const { keys, use, keyspace, read } = await rotating(1000);
    const [first] = keys;
    if (first === undefined) throw new Error('there are keys');
    await use(first.id, 2, settleSeconds + 1);
    await sql(
      `insert into version_uses (shard, key_id, number, first_used_at, last_used_at)
      select k.shard, k.id, 2, now() - interval '5 minutes', now() - interval '5 minutes' from keys k
      where k.keyspace_id = $1::uuid and k.id <> $2::uuid`,
      [uuidHexOf(keyspace.id), uuidHexOf(first.id)],
    );
    const before = transactions;
    // Two processes at once: what one has done the other leaves alone.
    const [one, other] = await Promise.all([
      finishSettledRotations(ports()),
      finishSettledRotations(ports()),
    ]);
    expect(one.finished + other.finished).toBe(1000);
    expect(transactions - before).toBeLessThanOrEqual(2 * (1000 / 250 + 2 * shards));
    expect(new Set((await read()).map(stateOfOld))).toEqual(new Set(['retired']));
    const events = await sql(
      `select count(*)::integer as count from feed where type = 'key.retired' and workspace_id = $1::uuid`,
      [uuidHexOf(keyspace.workspaceId)],
    );
    expect(events).toEqual([{ count: 1000 }]);
  }, 60_000);

  it('stop between two writes when they are told to', async () => {
    const { keys, use } = await rotating(1);
    for (const { id } of keys) await use(id, 2, settleSeconds + 1);
    await expect(finishSettledRotations(ports(), 10, AbortSignal.abort(new Error('down')))).rejects.toThrow(
      'down',
    );
    expect((await finishSettledRotations(ports())).finished).toBe(1);
  });
});

describe('keys whose secret is due', () => {
  const aged = async (count: number, rotateAfterSeconds = 3_600) => {
    const made = await keyspaceWith({ rotateAfterSeconds }, count);
    const old = (id: string) => `('017f22e279b0' || substr(replace(${id}::text, '-', ''), 13))::uuid`;
    // Made long ago: an id begins with the instant of its making.
    await sql(
      `update key_versions v set key_id = ${old('v.key_id')}, minted_at = v.minted_at - interval '2 hours'
      from keys k where k.shard = v.shard and k.id = v.key_id and k.keyspace_id = $1::uuid`,
      [uuidHexOf(made.keyspace.id)],
    );
    await sql(`update keys k set id = ${old('k.id')} where k.keyspace_id = $1::uuid`, [
      uuidHexOf(made.keyspace.id),
    ]);
    const keys = async () =>
      createReader(store, { shards }).keys(
        made.keyspace.workspaceId,
        {},
        { limit: count + 1 },
        systemClock.nowMs(),
      );
    return { ...made, keysNow: keys };
  };

  it('are asked to renew, once, at instants that are spread; others are not', async () => {
    const { keyspace, keysNow } = await aged(600);
    const [young] = await keysNow();
    if (young === undefined) throw new Error('there are keys');
    await sql(`update key_versions set minted_at = now() where key_id = $1::uuid`, [uuidHexOf(young.id)]);
    const before = transactions;
    const { asked, looked } = await requestDueRenewals(ports());
    expect([asked, looked >= 600]).toEqual([599, true]);
    expect(transactions - before).toBeLessThanOrEqual(2 * shards);
    const now = await keysNow();
    const instants = now.flatMap(({ traits }) => traits.renewAfterMs ?? []);
    expect(instants).toHaveLength(599);
    expect(now.find(({ id }) => id === young.id)?.traits).toEqual({});
    const spreadMs = 360_000;
    const since = instants.map((atMs) => (atMs - Date.now()) / spreadMs);
    expect(Math.max(...since)).toBeLessThan(1);
    // Of 599 at random in ten parts, none is empty.
    expect(new Set(since.map((share) => Math.floor(share * 10))).size).toBeGreaterThanOrEqual(10);
    expect((await requestDueRenewals(ports())).asked).toBe(0);
    const events = await sql(
      `select count(*)::integer as count from feed where type = 'key.renew_requested' and workspace_id = $1::uuid`,
      [uuidHexOf(keyspace.workspaceId)],
    );
    expect(events).toEqual([{ count: 599 }]);
  }, 60_000);

  it('are asked no more of than was said, and the rest by the next run', async () => {
    await aged(20);
    expect((await requestDueRenewals(ports(), 7)).asked).toBe(7);
    expect((await requestDueRenewals(ports())).asked).toBe(13);
  });

  it('are not even looked at while they are younger than the rule', async () => {
    await keyspaceWith({ rotateAfterSeconds: 86_400 }, 10);
    const before = (await requestDueRenewals(ports())).looked;
    await keyspaceWith({ rotateAfterSeconds: 86_400 }, 10);
    expect((await requestDueRenewals(ports())).looked).toBe(before);
  });
});
