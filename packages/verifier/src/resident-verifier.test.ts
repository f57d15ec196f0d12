import type { FeedRow, KeyFact, VersionFact } from '@keyswarm/core';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { ManualVerifierClock } from './clock/manual-verifier-clock.ts';
import { systemVerifierClock } from './clock/system-verifier-clock.ts';
import { createResidentVerifier } from './resident-verifier.ts';
import { checkProperty } from './testing/check-property.arbitrary.ts';
import {
  hourMs,
  keyFact,
  keyId,
  keyRow,
  keyString,
  keyspaceFact,
  keyspaceId,
  ownerFact,
  readyVerifier,
  startMs,
  versionFact,
  workspaceId,
} from './testing/sample-facts.arbitrary.ts';
import type { ResidentVerifier } from './verifier-port.ts';

describe('before the first snapshot is finished', () => {
  it('every answer is stale, whatever has been applied and however fresh the lease', () => {
    const clock = new ManualVerifierClock(startMs);
    const verifier = createResidentVerifier({ clock, shards: 4 });
    verifier.renewLease(clock.monotonicMs());
    const load = verifier.startSnapshot();
    for (const target of [verifier, load]) {
      target.applyKeyspace(keyspaceFact(1));
      target.applyOwner(ownerFact(1));
      target.applyKey(keyFact(1));
    }
    expect(verifier.ready).toBe(false);
    expect(verifier.verify(keyString(1), {})).toEqual({ valid: null, code: 'stale' });
    expect(verifier.verify('nonsense', {})).toEqual({ valid: null, code: 'stale' });
    expect(verifier.applyRow(keyRow(1, keyFact(1), { epoch: 0 }))).toBe(false);
    expect(verifier.applied()).toEqual({ epoch: 0, seqs: [0, 0, 0, 0] });
    load.finish({ epoch: 1, seqs: [5, 6] });
    expect(verifier.ready).toBe(true);
    expect(verifier.applied()).toEqual({ epoch: 1, seqs: [5, 6] });
  });
});

describe('a row of the feed', () => {
  it('is applied only as the next one of its shard and epoch', () => {
    const { verifier } = readyVerifier();
    const fact = keyFact(1);
    expect(verifier.applyRow(keyRow(2, fact))).toBe(false);
    expect(verifier.applyRow(keyRow(1, fact, { epoch: 2 }))).toBe(false);
    expect(verifier.applyRow(keyRow(1, fact, { shard: 2 }))).toBe(false);
    expect(verifier.verify(keyString(1), {})).toEqual({ valid: false, code: 'unknown' });
    expect(verifier.applyRow(keyRow(1, fact))).toBe(true);
    expect(verifier.applyRow(keyRow(1, fact))).toBe(false);
    expect(verifier.applyRow(keyRow(1, keyFact(2), { shard: 1 }))).toBe(true);
    expect(verifier.applied()).toEqual({ epoch: 1, seqs: [1, 1] });
    expect(verifier.verify(keyString(1), {})).toMatchObject({ valid: true });
  });

  it('brings its owner and keyspace along', () => {
    const { verifier } = readyVerifier();
    const row = keyRow(1, keyFact(1), { owner: ownerFact(1, { revision: 7, state: 'suspended' }) });
    verifier.applyFacts(row);
    expect(verifier.verify(keyString(1), {})).toEqual({ valid: false, code: 'suspended' });
    expect(verifier.applied().seqs).toEqual([0, 0]);
  });

  it('moves no position when it can not be applied', () => {
    const { verifier } = readyVerifier();
    const poison = keyRow(1, keyFact(1, { revision: 0 }));
    expect(() => verifier.applyRow(poison)).toThrow();
    expect(verifier.applied().seqs).toEqual([0, 0]);
  });

  it('that comes late by the shortcut brings back nothing that has been forgotten', () => {
    const { verifier } = readyVerifier();
    const issued = keyRow(1, keyFact(1));
    expect(verifier.applyRow(issued)).toBe(true);
    rotateAway(verifier);
    verifier.applyFacts(issued);
    expect(verifier.verify(keyString(1, 1), {})).toEqual({ valid: false, code: 'unknown' });
  });
});

/** Rows 2 to 5 of shard 0: version 1 of key 1 is no longer among the newest three. */
function rotateAway(verifier: ResidentVerifier): void {
  for (let revision = 2; revision <= 5; revision += 1) {
    expect(verifier.applyRow(keyRow(revision, rotated(1, revision)))).toBe(true);
  }
}

/** The key after revision − 1 cuts: each version but the newest is retired, the newest three are named. */
function rotated(key: number, revision: number, change: Partial<KeyFact> = {}): KeyFact {
  const versions: VersionFact[] = [];
  for (let number = Math.max(1, revision - 2); number <= revision; number += 1) {
    versions.push(
      versionFact(key, number, number < revision ? { state: 'retired', retiresAtMs: startMs } : {}),
    );
  }
  return keyFact(key, { revision, versions, ...change });
}

describe('a snapshot', () => {
  it('is swapped in at once: until it is finished the old table serves, then the new one', () => {
    const { clock, verifier } = readyVerifier();
    verifier.applyRow(keyRow(1, keyFact(1)));
    const load = verifier.startSnapshot();
    load.applyKeyspace(keyspaceFact(1));
    load.applyKey(keyFact(2));
    expect(verifier.verify(keyString(1), {})).toMatchObject({ valid: true });
    expect(verifier.verify(keyString(2), {})).toMatchObject({ code: 'unknown' });
    load.applyOwner(ownerFact(1));
    load.finish({ epoch: 2, seqs: [9, 9] });
    verifier.renewLease(clock.monotonicMs() + 0);
    expect(verifier.verify(keyString(1), {})).toMatchObject({ code: 'unknown' });
    expect(verifier.stats()).toMatchObject({ versions: 1, owners: 1, keyspaces: 1, scopeSets: 1 });
  });

  it('takes no lease away when it is not behind, and takes it when it is', () => {
    const finishAt = (seqs: readonly number[], epoch = 1) => {
      const { verifier } = readyVerifier();
      verifier.applyRow(keyRow(1, keyFact(1)));
      const load = verifier.startSnapshot();
      load.applyKeyspace(keyspaceFact(1));
      load.applyOwner(ownerFact(1));
      load.applyKey(keyFact(1));
      load.finish({ epoch, seqs });
      return verifier.verify(keyString(1), {}).code;
    };
    expect(finishAt([1, 0])).toBe('valid');
    expect(finishAt([3, 1])).toBe('valid');
    expect(finishAt([0, 5])).toBe('stale');
    expect(finishAt([1, 0], 2)).toBe('stale');
    expect(finishAt([1])).toBe('stale');
  });

  it('of another view takes the lease away, and nothing that was told for the one before', () => {
    const finishAs = (view: string | undefined, pushedUpTo = 4) => {
      const { verifier, clock } = readyVerifier();
      verifier.applyRow(keyRow(1, keyFact(1)));
      const load = verifier.startSnapshot();
      load.applyKeyspace(keyspaceFact(1));
      load.applyOwner(ownerFact(1));
      load.applyKey(keyFact(1));
      verifier.applyRow(keyRow(2, keyFact(2)));
      verifier.applyStretch({ epoch: 1, shard: 1, after: 0, upTo: pushedUpTo, rows: [] });
      load.finish({ epoch: 1, seqs: [2, 0], view });
      const codes = [1, 2].map((key) => verifier.verify(keyString(key), {}).code);
      clock.advance(1);
      verifier.renewLease(clock.monotonicMs());
      return [...codes, verifier.verify(keyString(2), {}).code, verifier.applied().seqs, verifier.view];
    };
    expect(finishAs(undefined)).toEqual(['valid', 'unknown', 'unknown', [2, 4], undefined]);
    expect(finishAs('narrow')).toEqual(['stale', 'unknown', 'unknown', [2, 0], 'narrow']);
    // Though it is not behind.
    expect(finishAs('narrow', 0)[0]).toBe('stale');
  });

  it('that was read before a row arrived has the row replayed on top, and loses nothing', () => {
    const { verifier } = readyVerifier();
    verifier.applyRow(keyRow(1, keyFact(1)));
    const load = verifier.startSnapshot();
    load.applyKeyspace(keyspaceFact(1));
    load.applyOwner(ownerFact(1));
    load.applyKey(keyFact(1));
    verifier.applyFacts(keyRow(3, keyFact(3)));
    verifier.applyRow(keyRow(2, keyFact(2)));
    verifier.applyRow(keyRow(1, keyFact(4), { shard: 1 }));
    load.finish({ epoch: 1, seqs: [1, 0] });
    expect(verifier.applied().seqs).toEqual([2, 1]);
    for (const key of [1, 2, 3, 4]) expect(verifier.verify(keyString(key), {}).code).toBe('valid');
  });

  it('never has a row replayed that is older than itself', () => {
    const { verifier } = readyVerifier();
    const load = verifier.startSnapshot();
    expect(verifier.applyRow(keyRow(1, keyFact(1)))).toBe(true);
    load.applyKeyspace(keyspaceFact(1));
    load.applyOwner(ownerFact(1));
    load.applyKey(rotated(1, 5));
    load.finish({ epoch: 1, seqs: [5, 0] });
    expect(verifier.verify(keyString(1, 1), {}).code).toBe('unknown');
    expect(verifier.verify(keyString(1, 5), {}).code).toBe('valid');
  });

  it('starts behind, without a lease, when more rows came than could be kept', () => {
    const { verifier } = readyVerifier({ rowsDuringLoadMax: 2 });
    const load = verifier.startSnapshot();
    for (const seq of [1, 2, 3]) verifier.applyRow(keyRow(seq, keyFact(seq)));
    load.applyKeyspace(keyspaceFact(1));
    load.applyOwner(ownerFact(1));
    load.applyKey(keyFact(9));
    load.finish({ epoch: 1, seqs: [0, 0] });
    expect(verifier.applied().seqs).toEqual([0, 0]);
    expect(verifier.verify(keyString(9), {}).code).toBe('stale');
  });

  it('keeps what this process alone knows: the last uses of versions in grace', () => {
    const { verifier } = readyVerifier();
    const grace = keyFact(1, {
      versions: [versionFact(1, 1, { state: 'grace', retiresAtMs: startMs + hourMs }), versionFact(1, 2)],
    });
    verifier.applyKey(grace);
    verifier.verify(keyString(1, 1), {});
    const load = verifier.startSnapshot();
    load.applyKey(grace);
    load.finish({ epoch: 1, seqs: [0, 0] });
    expect(verifier.lastGraceUseMs(keyId(1))).toBe(startMs);
  });

  it('can be finished once, and not after another one was started', () => {
    const { verifier } = readyVerifier();
    const first = verifier.startSnapshot();
    const second = verifier.startSnapshot();
    expect(() => first.finish({ epoch: 1, seqs: [0, 0] })).toThrow('once');
    second.finish({ epoch: 1, seqs: [0, 0] });
    expect(() => second.finish({ epoch: 1, seqs: [0, 0] })).toThrow('once');
    expect(() => second.applyKey(keyFact(1))).toThrow('once');
  });
});

/** What happens to a few keys of two shards, each change one row; a key lives in the shard of its parity. */
const histories = fc.array(
  fc.record({
    key: fc.integer({ min: 1, max: 5 }),
    what: fc.constantFrom('rotate' as const, 'suspend' as const, 'revoke' as const, 'update' as const),
  }),
  { maxLength: 40 },
);

function rowsOf(history: readonly { readonly key: number; readonly what: string }[]): FeedRow[] {
  const facts = new Map<number, KeyFact>();
  const seqs = [0, 0];
  return history.map(({ key, what }) => {
    const before = facts.get(key);
    const newest = before?.versions.at(-1)?.number ?? 1;
    const number = before !== undefined && what === 'rotate' ? newest + 1 : newest;
    const fact: KeyFact = {
      ...rotated(key, number),
      revision: (before?.revision ?? 0) + 1,
      state: what === 'revoke' ? 'revoked' : what === 'suspend' ? 'suspended' : 'active',
    };
    facts.set(key, fact);
    const shard = key % 2;
    seqs[shard] = (seqs[shard] ?? 0) + 1;
    return keyRow(seqs[shard] ?? 0, fact, { shard });
  });
}

describe('the feed with its shortcut', () => {
  it('ends in the truth, however rows come early, late and twice', () => {
    const order = fc.array(fc.record({ at: fc.nat(60), shortcut: fc.boolean() }), { maxLength: 120 });
    checkProperty(
      fc.property(histories, order, (history, arrivals) => {
        const rows = rowsOf(history);
        const { verifier } = readyVerifier();
        for (const { at, shortcut } of arrivals) {
          const row = rows[at % Math.max(1, rows.length)];
          if (row === undefined) continue;
          if (shortcut) verifier.applyFacts(row);
          else verifier.applyRow(row);
        }
        for (const row of rows) verifier.applyRow(row);
        for (const row of rows) verifier.applyFacts(row);
        const truth = new Map(rows.map((row) => [row.subject, row.key]));
        for (let key = 1; key <= 5; key += 1) {
          const fact = truth.get(keyId(key));
          for (let number = 1; number <= 42; number += 1) {
            const { code } = verifier.verify(keyString(key, number), {});
            expect(code).toBe(codeOf(fact, number));
          }
        }
      }),
      process.env,
      40,
    );
  });
});

function codeOf(fact: KeyFact | null | undefined, number: number): string {
  const version = fact?.versions.find((candidate) => candidate.number === number);
  if (fact === null || fact === undefined || version === undefined) return 'unknown';
  if (fact.state === 'revoked') return 'revoked';
  if (version.state === 'retired') return 'expired';
  return fact.state === 'suspended' ? 'suspended' : 'valid';
}

describe('a fingerprint', () => {
  const print = (key: number, number = 1) => versionFact(key, number).fingerprint;
  const whole = (bytes: Uint8Array) => Uint8Array.from([...bytes, ...bytes]);

  it('is known in the workspace of its key, in whatever state, by its first 16 bytes', () => {
    const { verifier } = readyVerifier();
    const { workspaceId: here } = keyspaceFact(1);
    expect(verifier.knowsFingerprint(print(1), here)).toBe(false);
    verifier.applyRow(keyRow(1, keyFact(1)));
    expect(verifier.knowsFingerprint(print(1), here)).toBe(true);
    expect(verifier.knowsFingerprint(whole(print(1)), here)).toBe(true);
    expect(verifier.knowsFingerprint(print(2), here)).toBe(false);
    expect(verifier.knowsFingerprint(print(1), workspaceId(77))).toBe(false);
    verifier.applyRow(keyRow(2, keyFact(1, { revision: 2, state: 'revoked' })));
    expect(verifier.knowsFingerprint(print(1), here)).toBe(true);
  });

  it('is known in each of the workspaces whose keys share it', () => {
    const { verifier } = readyVerifier();
    const here = keyspaceFact(1).workspaceId;
    const there = workspaceId(77);
    verifier.applyKeyspace(keyspaceFact(50, { workspaceId: there }));
    verifier.applyKey(keyFact(1));
    verifier.applyKey(keyFact(2, { keyspaceId: keyspaceId(50), versions: keyFact(1).versions }));
    expect(verifier.knowsFingerprint(print(1), here)).toBe(true);
    expect(verifier.knowsFingerprint(print(1), there)).toBe(true);
    expect(verifier.knowsFingerprint(print(1), workspaceId(78))).toBe(false);
  });
});

describe('on the clocks of the machine', () => {
  it('a verifier draws its own secret for the index', () => {
    const clock = systemVerifierClock();
    const verifier = createResidentVerifier({ clock });
    const load = verifier.startSnapshot();
    load.applyKeyspace(keyspaceFact(1));
    load.applyOwner(ownerFact(1));
    load.applyKey(keyFact(1, { expiresAtMs: null }));
    load.finish({ epoch: 1, seqs: Array.from({ length: 16 }, () => 0) });
    verifier.renewLease(clock.monotonicMs());
    expect(verifier.verify(keyString(1), {})).toMatchObject({ valid: true });
    expect(verifier.stats().leaseAgeMs).toBeGreaterThanOrEqual(0);
  });
});
