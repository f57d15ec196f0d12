import { describe, expect, it } from 'vitest';
import {
  keyFact,
  keyString,
  keyspaceFact,
  keyspaceId,
  ownerFact,
  readyVerifier,
} from '../testing/sample-facts.arbitrary.ts';
import type { ResidentVerifier } from '../verifier-port.ts';

const keyOfOther = keyFact(2, { keyspaceId: keyspaceId(2) });

function bringKeyBack(verifier: ResidentVerifier): void {
  verifier.applyOwner(ownerFact(1));
  verifier.applyKey(keyFact(1));
}

/** Key 1 in keyspace 1, whose second revision lowered the lease to this. */
function withLease(leaseMs: number) {
  const { clock, verifier } = readyVerifier();
  verifier.applyKey(keyFact(1));
  verifier.applyKeyspace(keyspaceFact(1, { revision: 2, leaseMs }));
  return { clock, verifier, code: () => verifier.verify(keyString(1), {}).code };
}

describe('a lease that is raised', () => {
  const strict = () => withLease(2000);

  it('counts only from a renewal that was asked for after the raise was applied', () => {
    const { verifier, clock, code } = strict();
    const askedBeforeMs = clock.monotonicMs() + 10;
    clock.advance(20);
    verifier.applyKeyspace(keyspaceFact(1, { revision: 3, leaseMs: 30_000 }));
    verifier.renewLease(askedBeforeMs);
    clock.advance(1990);
    expect(code()).toBe('valid');
    clock.advance(1);
    expect(code()).toBe('stale');
    verifier.renewLease(clock.monotonicMs());
    clock.advance(30_000);
    expect(code()).toBe('valid');
    clock.advance(1);
    expect(code()).toBe('stale');
  });

  it('is not counted by a renewal asked for at the very instant of the raise', () => {
    const { verifier, clock, code } = strict();
    clock.advance(20);
    verifier.applyKeyspace(keyspaceFact(1, { revision: 3, leaseMs: 30_000 }));
    verifier.renewLease(clock.monotonicMs());
    clock.advance(2001);
    expect(code()).toBe('stale');
  });

  it('stays at the smallest of several raises until one renewal later than the last of them', () => {
    const { verifier, clock, code } = strict();
    verifier.applyKeyspace(keyspaceFact(1, { revision: 3, leaseMs: 10_000 }));
    clock.advance(1);
    verifier.applyKeyspace(keyspaceFact(1, { revision: 4, leaseMs: 30_000 }));
    clock.advance(2000);
    expect(code()).toBe('stale');
  });

  it('is not put off by changes that leave the lease as it is', () => {
    const { verifier, clock, code } = strict();
    verifier.applyKeyspace(keyspaceFact(1, { revision: 3, leaseMs: 30_000 }));
    clock.advance(1);
    const askedMs = clock.monotonicMs();
    clock.advance(1);
    verifier.applyKeyspace(keyspaceFact(1, { revision: 4, leaseMs: 30_000, name: 'renamed' }));
    verifier.renewLease(askedMs);
    clock.advance(29_000);
    expect(code()).toBe('valid');
  });

  it('is lowered at once', () => {
    const { verifier, clock, code } = strict();
    verifier.applyKeyspace(keyspaceFact(1, { revision: 3, leaseMs: 30_000 }));
    clock.advance(1);
    verifier.renewLease(clock.monotonicMs());
    clock.advance(5000);
    expect(code()).toBe('valid');
    verifier.applyKeyspace(keyspaceFact(1, { revision: 4, leaseMs: 2000 }));
    expect(code()).toBe('stale');
  });

  it('tells the larger lease to whoever reckons the bound of a revocation', () => {
    const { verifier } = strict();
    verifier.applyKeyspace(keyspaceFact(1, { revision: 3, leaseMs: 30_000 }));
    expect(verifier.leaseMsOf(keyspaceId(1))).toBe(30_000);
  });

  it('can come with a snapshot, and counts no sooner then', () => {
    const { verifier, clock, code } = strict();
    const load = verifier.startSnapshot();
    load.applyKeyspace(keyspaceFact(1, { revision: 3, leaseMs: 30_000 }));
    const askedBeforeMs = clock.monotonicMs() + 1;
    clock.advance(2);
    load.finish({ epoch: 1, seqs: [0, 0] });
    verifier.renewLease(askedBeforeMs);
    bringKeyBack(verifier);
    expect(code()).toBe('valid');
    clock.advance(2000);
    expect(code()).toBe('stale');
    verifier.renewLease(clock.monotonicMs());
    clock.advance(30_000);
    expect(code()).toBe('valid');
  });

  it('is not put off by a snapshot that brings nothing new', () => {
    const { verifier, clock, code } = withLease(30_000);
    const load = verifier.startSnapshot();
    load.applyKeyspace(keyspaceFact(1, { revision: 2, leaseMs: 30_000 }));
    clock.advance(2);
    load.finish({ epoch: 1, seqs: [0, 0] });
    bringKeyBack(verifier);
    clock.advance(29_000);
    expect(code()).toBe('valid');
  });

  it('of a keyspace heard of first after its first change is taken for raised: nobody here knows what it was', () => {
    const { verifier, clock } = readyVerifier();
    const other = keyspaceFact(2, { revision: 2, leaseMs: 30_000 });
    verifier.applyKeyspace(other);
    verifier.applyKey(keyOfOther);
    const code = () => verifier.verify(keyString(2), {}).code;
    clock.advance(1000);
    expect(code()).toBe('valid');
    clock.advance(1);
    expect(code()).toBe('stale');
    verifier.renewLease(clock.monotonicMs());
    clock.advance(30_000);
    expect(code()).toBe('valid');
  });

  it('of a new keyspace counts at once: no revocation can have been acknowledged under a smaller one', () => {
    const { verifier, clock } = readyVerifier();
    verifier.applyKeyspace(keyspaceFact(2, { leaseMs: 30_000 }));
    verifier.applyKey(keyOfOther);
    clock.advance(29_000);
    expect(verifier.verify(keyString(2), {}).code).toBe('valid');
  });
});
