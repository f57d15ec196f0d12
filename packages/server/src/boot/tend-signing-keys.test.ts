import { type SigningKeyFact, type SigningKeyRecord, signingKeyFactOf } from '@keyswarm/core';
import { createResidentVerifier, systemVerifierClock } from '@keyswarm/verifier';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { defaultWorkspaceId } from '../access/named-ids.ts';
import { createLanes } from '../lanes/lanes.ts';
import { openMemoryStore } from '../lanes/testing/test-store.ts';
import { jwksMaxAgeMs } from '../limits.ts';
import { systemClock } from '../runtime/clock.ts';
import { systemRandom } from '../runtime/random.ts';
import { systemTimers } from '../runtime/timers.ts';
import { recordOf } from '../signing-keys/change-signing-keys.ts';
import { ensureSigningKey, type HandOverPorts } from '../signing-keys/rotate-signing-keys.ts';
import type { KeyVault } from '../signing-keys/signing-key-ports.ts';
import { SigningRing } from '../signing-keys/signing-ring.ts';
import { tendSigningKeys } from '../signing-keys/tend-signing-keys.ts';
import { createReader } from '../storage/reader.ts';
import type { Store } from '../storage/store.ts';

/* Signing keys that nobody looks after but the clock, which goes as fast as it is asked to. */

const shards = 4;
const issuer = 'https://keys.example';
const dayMs = 86_400_000;
const rule = { rotateAfterMs: 90 * dayMs };

let store: Store;
let aheadMs = 0;
beforeAll(async () => {
  store = await openMemoryStore(shards);
}, 60_000);
beforeEach(async () => {
  aheadMs = 0;
  await store.query({ name: '', text: 'delete from documents' });
});
afterAll(() => store.close());

/** Signs nothing that counts: what is asked here is which key does. */
const vault: KeyVault = {
  newKeyPair: async () => ({
    publicKey: systemRandom.bytes(32),
    bytes: systemRandom.bytes(32),
    privateKey: {} as Awaited<ReturnType<KeyVault['newKeyPair']>>['privateKey'],
  }),
  seal: (_key, bytes) => bytes,
  open: () => ({}) as ReturnType<KeyVault['open']>,
  sign: async () => 'signature',
};

/** A server. `hears`: does what is resident there follow the store? */
function server({ hears = true, laggards = 0, name = issuer } = {}) {
  let facts: readonly SigningKeyFact[] = [];
  const clock = { ...systemClock, nowMs: () => systemClock.nowMs() + aheadMs };
  const lanes = createLanes({ store, shards, clock, timers: systemTimers, onCommitted: () => {} });
  const reader = createReader(store, { shards });
  const verifier = {
    ...createResidentVerifier({ clock: systemVerifierClock(), shards }),
    signingKeys: () => facts,
    applied: () => ({ epoch: '0', seqs: [] }),
  } as unknown as HandOverPorts['verifier'];
  const later = { ...lanes } as typeof lanes;
  later.submit = (write) =>
    lanes.submit({ ...write, decide: (view, nowMs) => write.decide(view, nowMs + aheadMs) });
  const catchUp = async () => {
    if (hears) facts = (await keys()).map(signingKeyFactOf);
  };
  const lease = { leaseMs: 30_000, formerUntilMs: null };
  const leaseNow = async () => ({ nowMs: clock.nowMs(), lease });
  const common = { lanes: later, reader, verifier, clock, shards, catchUp };
  const signing = { ...common, random: systemRandom, vault, issuer: name };
  const ports: HandOverPorts = {
    ...common,
    leases: { ofKeyspace: leaseNow, ofWorkspace: leaseNow },
    awaitEffective: async () =>
      ({ laggards: Array.from({ length: laggards }, () => ({})) }) as unknown as Awaited<
        ReturnType<NonNullable<HandOverPorts['awaitEffective']>>
      >,
    signing,
  };
  return { ports, signing, ring: new SigningRing(signing) };
}

async function keys(): Promise<readonly SigningKeyRecord[]> {
  const found = await createReader(store, { shards }).documents({ kind: 'sk', limit: 200 });
  return found.map(recordOf).filter((key) => key !== undefined);
}

const states = async () => (await keys()).map(({ state }) => state).sort();
const first = (house: ReturnType<typeof server>) =>
  ensureSigningKey(house.signing, { workspaceId: defaultWorkspaceId, algorithm: 'ed25519', issuer });
/** A token that lives so long from now on. */
async function sign(house: ReturnType<typeof server>, livesMs: number): Promise<void> {
  await house.ports.catchUp?.();
  await house.ring.sign({
    workspaceId: defaultWorkspaceId,
    algorithm: 'ed25519',
    claims: '{}',
    expiresAtMs: systemClock.nowMs() + aheadMs + livesMs,
  });
}

const nothing = { rotated: 0, removed: 0, waiting: 0 };

describe('signing keys by themselves', () => {
  it('hand over when the active one is as old as the rule says, and not a run sooner', async () => {
    const house = server();
    const { id } = await first(house);
    aheadMs = 89 * dayMs;
    expect(await tendSigningKeys(house.ports, rule)).toEqual(nothing);
    aheadMs = 90 * dayMs + 1_000;
    expect(await tendSigningKeys(house.ports, rule)).toEqual({ ...nothing, rotated: 1 });
    expect(await states()).toEqual(['active', 'published', 'retired']);
    expect((await keys()).find(({ state }) => state === 'retired')?.id).toBe(id);
  });

  it('hand over once, whichever server is first', async () => {
    const houses = [server(), server()];
    for (const house of houses) await first(house);
    aheadMs = 91 * dayMs;
    const done = await Promise.all(houses.map(({ ports }) => tendSigningKeys(ports, rule)));
    expect(done.reduce((sum, { rotated }) => sum + rotated, 0)).toBe(1);
    expect(await states()).toEqual(['active', 'published', 'retired']);
  });

  it('wait while a gate is shut: the next one too new, a verifier behind, or this server itself', async () => {
    const house = server();
    await first(house);
    const young = { rotateAfterMs: 1 };
    aheadMs = jwksMaxAgeMs;
    expect(await tendSigningKeys(house.ports, young)).toEqual({ ...nothing, waiting: 1 });
    aheadMs = dayMs;
    for (const behind of [server({ laggards: 1 }), server({ hears: false })])
      expect(await tendSigningKeys(behind.ports, young)).toEqual({ ...nothing, waiting: 1 });
    expect(await states()).toEqual(['active', 'published']);
    expect((await tendSigningKeys(house.ports, young)).rotated).toBe(1);
  });

  it('stay where there is no rule, or where the key is of another issuer', async () => {
    const house = server();
    await first(house);
    aheadMs = 1_000 * dayMs;
    expect(await tendSigningKeys(house.ports, { rotateAfterMs: null })).toEqual(nothing);
    expect(await tendSigningKeys(server({ name: 'https://other.example' }).ports, rule)).toEqual(nothing);
    expect(await states()).toEqual(['active', 'published']);
  });

  it('go once their last token has expired, and not before', async () => {
    const house = server();
    const { id } = await first(house);
    aheadMs = 91 * dayMs;
    await sign(house, 30 * dayMs);
    expect((await tendSigningKeys(house.ports, rule)).rotated).toBe(1);
    aheadMs += 30 * dayMs;
    expect(await tendSigningKeys(house.ports, rule)).toEqual(nothing);
    aheadMs += dayMs;
    expect(await tendSigningKeys(house.ports, rule)).toEqual({ ...nothing, removed: 1 });
    const gone = (await keys()).find((key) => key.id === id);
    expect([gone?.state, gone?.sealed.length]).toEqual(['removed', 0]);
    expect(await tendSigningKeys(house.ports, rule)).toEqual(nothing);
  });
});
