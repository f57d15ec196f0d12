import { idFromUuidBytes, type KeyId, uuidV7 } from '@keyswarm/core';
import { type Postgres, startPostgres } from '@keyswarm/harness/postgres';
import { createResidentVerifier, systemVerifierClock } from '@keyswarm/verifier';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import type { Caller } from '../access/caller.ts';
import { LeaseReads } from '../access/lease-reads.ts';
import { defaultWorkspaceId } from '../access/named-ids.ts';
import type { UseCasePorts } from '../access/use-case-ports.ts';
import { exchangeKey } from '../holders/exchange-key.ts';
import { createEnrollment } from '../keys/create-enrollment.ts';
import { issueOneKey } from '../keys/issue-keys.ts';
import { rotateOneKey } from '../keys/rotate-key.ts';
import { createOneKeyspace } from '../keyspaces/change-keyspace.ts';
import { KeyspaceDirectory } from '../keyspaces/keyspace-directory.ts';
import { revokeKeysOfKeyspace } from '../keyspaces/revoke-keyspace-keys.ts';
import type { Lanes, LaneWrite } from '../lanes/lane-port.ts';
import { createLanes } from '../lanes/lanes.ts';
import { openServerStore } from '../lanes/testing/test-store.ts';
import { revokeKeysOfOwner } from '../owners/change-owner.ts';
import { type Clock, systemClock } from '../runtime/clock.ts';
import { systemRandom } from '../runtime/random.ts';
import { systemTimers } from '../runtime/timers.ts';
import { createReader } from '../storage/reader.ts';
import { createRotationsReader } from '../storage/statements/read-rotations.ts';
import type { Store } from '../storage/store.ts';
import { createStoreClock } from '../storage/store-clock.ts';
import { bootstrap } from '../workspaces/bootstrap.ts';

/*
 * Two servers on one store whose clocks are two hours apart. Revoking the keys of an owner or of a keyspace is one
 * instant, and every version is dated: so the dates have to be of one clock, and in the order of the commits.
 */

const shards = 4;
const hourMs = 3_600_000;
const keysPerRound = 6;
let postgres: Postgres;
beforeAll(async () => {
  postgres = await startPostgres();
});
afterAll(() => postgres.stop());

describe('keys of an owner or a keyspace, rotated and revoked at once by two servers whose clocks disagree', () => {
  const stores: Store[] = [];
  let url: string;
  const caller: Caller = {
    keyId: idFromUuidBytes('key', uuidV7(systemClock.nowMs(), systemRandom.bytes(10))),
    workspaceId: defaultWorkspaceId,
    scopes: ['*'],
    expiresAtMs: null,
    isDerived: false,
    requestId: 'req-1',
  };
  beforeEach(async () => {
    url = await postgres.createDatabase();
  });
  afterEach(async () => {
    await Promise.all(stores.splice(0).map((store) => store.close()));
  });

  const startServer = async (skewMs: number, plant: Plant): Promise<UseCasePorts> => {
    const store = await openServerStore(url, shards);
    stores.push(store);
    const clock: Clock = { ...systemClock, nowMs: () => systemClock.nowMs() + skewMs };
    const lanes = createLanes({ store, shards, clock, timers: systemTimers, onCommitted: () => {} });
    const reader = createReader(store, { shards });
    return {
      lanes: planted(lanes, clock, plant),
      reader,
      verifier: createResidentVerifier({ clock: systemVerifierClock(), shards }),
      clock,
      random: systemRandom,
      keyspaces: new KeyspaceDirectory(reader),
      leases: new LeaseReads(reader),
      evidence: {
        of: async () => ({ uses: [], unheard: null }),
        unheardIn: async () => null,
        flush: async () => {},
      },
      rotationTimes: { firstUsed() {}, retired() {} },
      jobs: { send: async () => {} },
      macKeyOf: () => new Uint8Array(32),
      rotations: createRotationsReader(store),
      storeClock: createStoreClock(store),
      shards,
    };
  };

  const startBoth = async (plant: Plant = {}): Promise<readonly [UseCasePorts, UseCasePorts]> => {
    const ahead = await startServer(hourMs, plant);
    const behind = await startServer(-hourMs, plant);
    await bootstrap(ahead, undefined);
    const terms = { name: 'orders', prefix: 'orders', allowedScopes: ['*'] };
    await createOneKeyspace(ahead, caller, terms, undefined);
    return [ahead, behind];
  };

  const issueFor = async (ports: UseCasePorts, externalId: string) => {
    const owner = { kind: 'service', externalId } as const;
    const terms = { keyspace: 'orders', owner, name: '', scopes: [], metadata: {} };
    return (await issueOneKey(ports, caller, terms, undefined)).key;
  };
  const stateOf = async (ports: UseCasePorts, id: KeyId) =>
    (await ports.reader.key(caller.workspaceId, id))?.state;

  /** Keys that survived the revocation, and keys made after it that did not. */
  const race = async (both: readonly [UseCasePorts, UseCasePorts], round: number, plant: Plant) => {
    const [one, other] = round % 2 === 0 ? both : [both[1], both[0]];
    const externalId = `owner ${round}`;
    const keys = await Promise.all(
      Array.from({ length: keysPerRound }, (_, at) => issueFor(at % 2 === 0 ? one : other, externalId)),
    );
    const ownerId = keys[0]?.ownerId;
    if (ownerId === undefined) throw new Error('an owner comes with its first key');
    const rotations = keys.map(
      ({ id }, at) =>
        () =>
          rotateOneKey(at % 2 === 0 ? one : other, caller, { id }, undefined),
    );
    const steps = rotations.toSpliced(round % keysPerRound, 0, async () => {
      // Behind the rotations that have begun, or before them.
      if (round % 3 > 0) await stateOf(one, keys[0]?.id as KeyId);
      if (plant.revokes === 'keyspace') await revokeKeysOfKeyspace(one, caller, 'orders', undefined);
      else await revokeKeysOfOwner(one, caller, ownerId, undefined);
      return undefined as never;
    });
    const settled = await Promise.allSettled(steps.map((step) => step()));
    const rotated = settled.filter(({ status }) => status === 'fulfilled').length - 1;
    const survivors = [];
    for (const { id } of keys) if ((await stateOf(other, id)) !== 'revoked') survivors.push(id);
    const later = await Promise.all([issueFor(one, externalId), issueFor(other, externalId)]);
    const stillborn = [];
    for (const { id } of later) if ((await stateOf(one, id)) !== 'active') stillborn.push(id);
    return { rotated, survivors: survivors.length, stillborn: stillborn.length };
  };

  /** Keys that came of an exchange by an enrollment key of the owner, and survived the revocation of the owner's keys. */
  const raceExchanges = async (both: readonly [UseCasePorts, UseCasePorts], round: number) => {
    const [one, other] = round % 2 === 0 ? both : [both[1], both[0]];
    const name = { kind: 'service', externalId: `fleet ${round}` } as const;
    const enrollments = await Promise.all(
      Array.from({ length: keysPerRound }, async (_, at) => {
        const wish = { keyspace: 'orders', owner: name, name: '', scopes: [], metadata: {}, claims: [] };
        const ports = at % 2 === 0 ? one : other;
        const more = { uses: 1, cascade: false };
        return (await createEnrollment(ports, caller, { ...wish, ...more }, undefined)).key;
      }),
    );
    const exchanges = enrollments.map(({ id: keyId, ownerId, keyspaceId }, at) => async () => {
      const who = { ...caller, keyId, ownerId, keyspaceId, owner: name, scopes: [] as const };
      const holder = { ...who, version: 1, mintedAtMs: 0, isEnrollment: true, verdict: null };
      return (await exchangeKey(at % 2 === 0 ? one : other, holder, { claims: {} }, undefined)).key;
    });
    const ownerId = enrollments[0]?.ownerId;
    if (ownerId === undefined) throw new Error('an owner comes with its first key');
    const steps = exchanges.toSpliced(round % keysPerRound, 0, async () => {
      if (round % 3 > 0) await stateOf(one, enrollments[0]?.id as KeyId);
      await revokeKeysOfOwner(one, caller, ownerId, undefined);
      return undefined as never;
    });
    const settled = await Promise.allSettled(steps.map((step) => step()));
    const made = settled.flatMap((each) => (each.status === 'fulfilled' && each.value ? [each.value] : []));
    const states = await Promise.all(made.map(({ id }) => stateOf(other, id)));
    return { made: made.length, survivors: states.filter((state) => state !== 'revoked').length };
  };

  const raceFor = async (rounds: number, plant: Plant = {}) => {
    const both = await startBoth(plant);
    const sum = { rotated: 0, survivors: 0, stillborn: 0 };
    for (let round = 0; round < rounds; round += 1) {
      const seen = await race(both, round, plant);
      sum.rotated += seen.rotated;
      sum.survivors += seen.survivors;
      sum.stillborn += seen.stillborn;
    }
    return sum;
  };

  test('end with the revocation, all of them, and what is issued afterwards lives', async () => {
    const seen = await raceFor(120);
    expect(seen).toMatchObject({ survivors: 0, stillborn: 0 });
    // Some rotations came first, and some too late: else nothing was raced for.
    expect(seen.rotated).toBeGreaterThan(0);
    expect(seen.rotated).toBeLessThan(120 * keysPerRound);
  });

  test('end with the revocation of their keyspace too, without waiting for each other', async () => {
    const seen = await raceFor(60, { revokes: 'keyspace' });
    expect(seen).toMatchObject({ survivors: 0, stillborn: 0 });
    expect(seen.rotated).toBeGreaterThan(0);
    expect(seen.rotated).toBeLessThan(60 * keysPerRound);
  });

  test('the planted bug is caught: the watermark of a keyspace stays where it was first set', async () => {
    const { survivors } = await raceFor(120, { revokes: 'keyspace', closes: 'nothing' });
    expect(survivors).toBeGreaterThan(0);
  });

  test('the planted bug is caught: versions and watermarks are dated by the clock of each server', async () => {
    const { survivors } = await raceFor(12, { dates: 'by each server' });
    expect(survivors).toBeGreaterThan(0);
  });

  test('end with what their enrollment keys are exchanged for meanwhile', async () => {
    const both = await startBoth();
    let made = 0;
    for (let round = 0; round < 60; round += 1) {
      const seen = await raceExchanges(both, round);
      expect(seen.survivors).toBe(0);
      made += seen.made;
    }
    expect(made).toBeGreaterThan(0);
    expect(made).toBeLessThan(60 * keysPerRound);
  });

  test('the planted bug is caught: a rotation does not hold the owner', async () => {
    const { survivors } = await raceFor(40, { holds: 'nothing' });
    expect(survivors).toBeGreaterThan(0);
  });
});

interface Plant {
  readonly revokes?: 'keyspace';
  /** The second write of a keyspace's revocation is left out. */
  readonly closes?: 'nothing';
  readonly dates?: 'by each server';
  readonly holds?: 'nothing';
}

function planted(lanes: Lanes, clock: Clock, plant: Plant): Lanes {
  let watermarks = 0;
  return {
    shardForNew: (weight) => lanes.shardForNew(weight),
    submit<Reply>(write: LaneWrite<Reply>) {
      const { ownersHeld, ...reads } = write.reads;
      const unheld = ownersHeld === undefined ? reads : { ...reads, owners: ownersHeld };
      return lanes.submit<Reply>({
        ...write,
        reads: plant.holds === 'nothing' ? unheld : write.reads,
        decide(view, nowMs) {
          const decision = write.decide(view, plant.dates === undefined ? nowMs : clock.nowMs());
          const isWatermark = decision.changes.some(({ event }) => event === 'keyspace.keys_revoked');
          if (plant.closes === undefined || !isWatermark) return decision;
          watermarks += 1;
          return watermarks % 2 === 1 ? decision : { changes: [], reply: undefined as Reply };
        },
      });
    },
  };
}
