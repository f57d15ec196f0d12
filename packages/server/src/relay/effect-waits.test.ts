import {
  idFromUuidBytes,
  type KeyspaceId,
  leaseSecondsMax,
  uuidV8FromHash,
  type WorkspaceId,
} from '@keyswarm/core';
import { type Heads, LeaseRoll, type RollEntry } from '@keyswarm/verifier';
import { expect, test } from 'vitest';
import type { EffectiveOutcome } from '../access/await-effective.ts';
import { effectPollMs } from '../limits.ts';
import type { CancelTimer, Timers } from '../runtime/timers.ts';
import { EffectWaits } from './effect-waits.ts';
import type { RegistryReading, RelayReading, VerifierReading } from './registry-reading.ts';

const workspace: WorkspaceId = idFromUuidBytes('ws', uuidV8FromHash(new Uint8Array(32).fill(1)));
const startMs = 1_800_000_000_000;
const at = (seq: number, epoch = 1): Heads => ({ epoch, seqs: [seq] });

/** Time that stands until it is told to move. */
class Stand implements Timers {
  monotonic = 0;
  readonly #due: { atMs: number; run: () => void }[] = [];
  after(delayMs: number, run: () => void): CancelTimer {
    const timer = { atMs: this.monotonic + delayMs, run };
    this.#due.push(timer);
    return () => void this.#due.splice(this.#due.indexOf(timer) >>> 0, 1);
  }
  every(periodMs: number, run: () => void): CancelTimer {
    return this.after(periodMs, run);
  }
  sleep(delayMs: number): Promise<void> {
    return new Promise((resolve) => this.after(delayMs, resolve));
  }
  async pass(ms: number): Promise<void> {
    for (const endMs = this.monotonic + ms; this.monotonic < endMs; ) {
      this.monotonic = Math.min(endMs, this.monotonic + effectPollMs);
      for (const timer of this.#due.filter(({ atMs }) => atMs <= this.monotonic)) {
        this.#due.splice(this.#due.indexOf(timer), 1);
        timer.run();
      }
      for (let turns = 0; turns < 4; turns += 1) await new Promise((resolve) => setImmediate(resolve));
    }
  }
}

function bench(options: { readonly leaseMs?: number; readonly formerUntilMs?: number | null } = {}) {
  const time = new Stand();
  const clock = { monotonicMs: () => time.monotonic, nowMs: () => startMs + time.monotonic };
  const roll = new LeaseRoll({ clock, onReport: (entry) => told(entry) });
  let told: (entry: RollEntry) => void = () => {};
  const world = { relays: [] as RelayReading[], isWhole: true, reads: 0, own: at(9), wanted: 0 };
  const waits = new EffectWaits({
    registry: {
      roll,
      onReport: (listener) => {
        told = listener;
      },
      want: () => {},
      read: async (): Promise<RegistryReading> => {
        world.reads += 1;
        return { nowMs: clock.nowMs(), isWhole: world.isWhole, relays: world.relays };
      },
    },
    relay: { id: 'here', name: 'here', region: null },
    applied: () => world.own,
    wantReports: () => {
      world.wanted += 1;
    },
    leases: {
      ofWorkspace: async () => ({
        nowMs: clock.nowMs(),
        lease: { leaseMs: options.leaseMs ?? 30_000, formerUntilMs: options.formerUntilMs ?? null },
      }),
      ofKeyspace: async () => ({
        nowMs: clock.nowMs(),
        lease: { leaseMs: 5_000, formerUntilMs: options.formerUntilMs ?? null },
      }),
    },
    clock,
    timers: time,
  });
  const wait = (seq = 9, epoch = 1, keyspaceId?: KeyspaceId) => {
    const state: { outcome?: EffectiveOutcome } = {};
    const effectiveByMs = startMs + 30_300;
    const change = { workspaceId: workspace, keyspaceId, epoch, shard: 0, seq, effectiveByMs };
    const done = waits.awaitEffective(change).then((outcome) => {
      state.outcome = outcome;
    });
    return { state, done };
  };
  return { time, roll, world, wait };
}

const owner = { workspaceId: workspace, credential: 'key_a' };
const report = (id: string, applied: Heads | undefined) => ({
  id,
  name: id,
  kind: 'library' as const,
  applied,
  leaseAgeMs: 5,
});
const relayOf = (id: string, change: Partial<RelayReading>): RelayReading => ({
  id,
  name: id,
  region: null,
  leaseAgeMs: 10,
  silentMs: 100,
  own: at(9),
  least: new Map(),
  verifiers: [],
  ...change,
});
const verifierOf = (id: string, applied: Heads, change: Partial<VerifierReading> = {}): VerifierReading => ({
  ...report(id, applied),
  workspaceId: workspace,
  credentialId: 'key_a',
  isActive: false,
  silentMs: 100,
  downstream: [],
  ...change,
});

test('is over as soon as the last one here has said that it knows', async () => {
  const { time, roll, world, wait } = bench();
  roll.asked(owner, report('one', at(8)));
  roll.asked({ ...owner, workspaceId: undefined }, report('of nobody', at(1)));
  const { state, done } = wait();
  await time.pass(200);
  expect(state.outcome).toBeUndefined();
  expect(world.wanted).toBe(1);
  roll.asked(owner, report('one', at(9)));
  await done;
  expect(state.outcome).toMatchObject({ verifiers: 2, laggards: [] });
});

test('one that has no table is counted with what it was first answered, not with nothing', async () => {
  const { time, roll, wait } = bench();
  const entry = roll.asked(owner, report('new', undefined));
  roll.answered(entry, at(8));
  const { state } = wait();
  await time.pass(500);
  expect(state.outcome).toBeUndefined();
  roll.asked(owner, report('new', undefined));
  await time.pass(500);
  expect(state.outcome).toBeUndefined();
});

test('others are read after the change, and all of them have to know it', async () => {
  const { time, world, wait } = bench();
  const lagging = relayOf('there', { own: at(8) });
  world.relays = [relayOf('here', { own: at(1) }), lagging];
  const { state } = wait();
  await time.pass(200);
  expect(state.outcome).toBeUndefined();
  world.relays = [
    relayOf('there', {
      least: new Map([[workspace, at(8)]]),
      verifiers: [verifierOf('v', at(8), { isActive: true })],
    }),
  ];
  await time.pass(200);
  expect(state.outcome).toBeUndefined();
  world.relays = [
    relayOf('there', {
      least: new Map([[workspace, at(9)]]),
      verifiers: [verifierOf('v', at(8), { isActive: true })],
    }),
  ];
  await time.pass(200);
  expect(state.outcome).toMatchObject({ verifiers: 3, laggards: [] });
});

test('one that was heard of elsewhere since is not waited for where it was before', async () => {
  const { time, roll, world, wait } = bench();
  world.relays = [relayOf('there', { verifiers: [verifierOf('moved', at(3))] })];
  roll.asked(owner, report('moved', at(9)));
  const { state } = wait();
  await time.pass(100);
  expect(state.outcome).toMatchObject({ laggards: [] });
  const impostor = bench();
  impostor.world.relays = world.relays;
  impostor.roll.asked({ ...owner, credential: 'key_b' }, report('moved', at(9)));
  const second = impostor.wait();
  await impostor.time.pass(100);
  expect(second.state.outcome).toBeUndefined();
});

test('nor where it was before when all that is told of it is the least of its new relay', async () => {
  const before = relayOf('before', { verifiers: [verifierOf('moved', at(3))] });
  const now = (least: Heads) =>
    relayOf('now', {
      least: new Map([[workspace, least]]),
      verifiers: [verifierOf('moved', at(3), { isActive: true })],
    });
  const { time, roll, world, wait } = bench();
  roll.asked(owner, report('moved', at(2)));
  world.relays = [before, now(at(8))];
  const { state } = wait();
  await time.pass(100);
  expect(state.outcome).toBeUndefined();
  world.relays = [before, now(at(9))];
  await time.pass(100);
  expect(state.outcome).toMatchObject({ laggards: [] });
});

test('a relay that moved is not waited for where it was, unless one behind it does not know', async () => {
  for (const behind of [at(8), at(9)]) {
    const { time, roll, world, wait } = bench();
    world.relays = [relayOf('before', { verifiers: [verifierOf('relay', at(3))] })];
    roll.asked(owner, report('relay', at(9)), [report('behind it', behind)]);
    const { state } = wait();
    await time.pass(100);
    expect(state.outcome !== undefined).toBe(behind.seqs[0] === 9);
  }
});

test('of one keyspace nobody waits for the longer lease of another', async () => {
  const { time, world, wait } = bench();
  world.relays = [
    relayOf('dead', { own: 'ended', verifiers: [verifierOf('v', at(1), { silentMs: 6_100 })] }),
  ];
  const whole = wait();
  const { state } = wait(9, 1, idFromUuidBytes('ks', new Uint8Array(16).fill(3)));
  await time.pass(100);
  expect([state.outcome?.laggards, whole.state.outcome]).toEqual([[], undefined]);
});

test('those that are told of together are counted, and waited for as one', async () => {
  const { time, roll, wait } = bench();
  const others = { ...report('others', at(8)), name: '40 others', count: 40 };
  roll.asked(owner, { ...report('relay', at(9)), kind: 'relay' }, [others]);
  const { state } = wait();
  await time.pass(30_400);
  expect(state.outcome).toMatchObject({ verifiers: 42, laggards: [{ id: 'others', name: '40 others' }] });
});

test('the silent one is fenced after its lease and the second of its registration, and not before', async () => {
  const silent = (silentMs: number) => [
    relayOf('dead', { own: 'ended', verifiers: [verifierOf('v', at(1), { silentMs })] }),
  ];
  for (const [silentMs, isOver] of [
    [31_200, false],
    [31_400, true],
  ] as const) {
    const { time, world, wait } = bench();
    world.relays = silent(silentMs);
    const { state } = wait();
    await time.pass(100);
    expect(state.outcome !== undefined).toBe(isOver);
  }
  const lowered = bench({ leaseMs: 1000, formerUntilMs: startMs + 20_000 });
  lowered.world.relays = silent(10_000);
  const { state } = lowered.wait();
  await lowered.time.pass(19_000);
  expect(state.outcome).toBeUndefined();
  await lowered.time.pass(1_500);
  expect(state.outcome).toMatchObject({ laggards: [] });
});

test('names at the bound who has not said that it knows', async () => {
  const { time, roll, world, wait } = bench();
  roll.asked(owner, report('near', at(8)));
  world.relays = [relayOf('there', { own: at(8), verifiers: [verifierOf('far', at(8))] })];
  const { state } = wait();
  await time.pass(30_200);
  expect(state.outcome).toBeUndefined();
  await time.pass(200);
  expect(state.outcome?.laggards.map(({ id }) => id)).toEqual(['near', 'there', 'far']);
  expect(state.outcome?.atMs).toBeGreaterThanOrEqual(startMs + 30_300);
});

test('a relay is waited for with those behind it, and names them when it is they that lag', async () => {
  const { time, roll, wait } = bench();
  const relay = { ...report('relay', at(9)), kind: 'relay' as const };
  roll.asked(owner, relay, [report('behind it', at(8)), report('too', at(9))]);
  const { state } = wait();
  await time.pass(30_400);
  expect(state.outcome?.laggards.map(({ id }) => id)).toEqual(['behind it']);
});

test('nothing follows from a read that was cut short, nor from a registry that a failover may have lost', async () => {
  const cut = bench();
  cut.world.isWhole = false;
  const first = cut.wait();
  await cut.time.pass(500);
  expect(first.state.outcome).toBeUndefined();
  const epoch = Math.floor(startMs / 1000) - leaseSecondsMax;
  const lost = bench();
  lost.world.own = at(9, epoch);
  const second = lost.wait(9, epoch);
  await lost.time.pass(5_000);
  expect(second.state.outcome).toBeUndefined();
  await lost.time.pass(3_000);
  expect(second.state.outcome).toMatchObject({ laggards: [] });
});

test('a later epoch has the change, and an earlier one has not', async () => {
  const { time, roll, world, wait } = bench();
  world.own = at(0, 3);
  roll.asked(owner, report('behind', at(99, 1)));
  const { state } = wait(9, 2);
  await time.pass(200);
  expect(state.outcome).toBeUndefined();
  roll.asked(owner, report('behind', at(0, 3)));
  await time.pass(200);
  expect(state.outcome).toMatchObject({ laggards: [] });
});
