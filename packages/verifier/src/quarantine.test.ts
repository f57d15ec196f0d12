import { shardOfId } from '@keyswarm/core';
import { describe, expect, it } from 'vitest';
import { ManualVerifierClock } from './clock/manual-verifier-clock.ts';
import { createResidentVerifier } from './resident-verifier.ts';
import {
  keyFact,
  keyString,
  keyspaceFact,
  keyspaceId,
  ownerFact,
  ownerId,
  sampleSeed,
  startMs,
} from './testing/sample-facts.arbitrary.ts';

const shards = 4;
const leaseMs = 30_000;

/** Keys 1 to 40 of owner 1 in keyspace 1, in a feed of four shards, with a fresh lease. */
function bench() {
  const clock = new ManualVerifierClock(startMs);
  const verifier = createResidentVerifier({ clock, shards, indexSeed: sampleSeed });
  const load = verifier.startSnapshot();
  load.applyKeyspace(keyspaceFact(1));
  load.applyOwner(ownerFact(1));
  const keys = Array.from({ length: 40 }, (_, at) => keyFact(at + 1));
  for (const key of keys) load.applyKey(key);
  load.finish({ epoch: 1, seqs: [0, 0, 0, 0] });
  verifier.renewLease(clock.monotonicMs());
  const shared = [shardOfId(keyspaceId(1), shards), shardOfId(ownerId(1), shards)];
  const freeShard = [0, 1, 2, 3].find((shard) => !shared.includes(shard)) ?? 0;
  const inShard = keys.findIndex(({ id }) => shardOfId(id, shards) === freeShard) + 1;
  const elsewhere = keys.findIndex(({ id }) => shardOfId(id, shards) !== freeShard) + 1;
  const code = (number: number) => verifier.verify(keyString(number), {}).code;
  /** Time passes in steps, and every step is asked for anew, without those shards. */
  const live = (ms: number, behind: readonly number[]) => {
    for (let left = ms; left > 0; left -= 1000) {
      clock.advance(Math.min(1000, left));
      verifier.renewLease(clock.monotonicMs(), behind);
    }
  };
  return { clock, verifier, freeShard, inShard, elsewhere, shared, code, live };
}

describe('a shard that stands still', () => {
  it('takes its keys out of service at the end of the lease that they last had, and no others', () => {
    const { freeShard, inShard, elsewhere, code, live, clock } = bench();
    live(leaseMs, [freeShard]);
    expect([code(inShard), code(elsewhere)]).toEqual(['valid', 'valid']);
    clock.advance(1);
    expect([code(inShard), code(elsewhere)]).toEqual(['stale', 'valid']);
    live(10 * leaseMs, [freeShard]);
    expect([code(inShard), code(elsewhere)]).toEqual(['stale', 'valid']);
  });

  it('serves again from the first renewal that it has part in', () => {
    const { freeShard, inShard, code, live, verifier } = bench();
    live(2 * leaseMs, [freeShard]);
    expect(verifier.quarantined).toEqual([freeShard]);
    live(1000, []);
    expect(verifier.quarantined).toEqual([]);
    expect(code(inShard)).toBe('valid');
  });

  it('does not serve again by an answer that is too old to count: it may be from before the row', () => {
    const { freeShard, inShard, code, live, verifier, clock } = bench();
    const oldMs = clock.monotonicMs();
    live(2 * leaseMs, [freeShard]);
    verifier.renewLease(oldMs, []);
    expect(verifier.quarantined).toEqual([freeShard]);
    expect(code(inShard)).toBe('stale');
  });

  it.each(['keyspace', 'owner'] as const)('stops every key whose %s lives in it', (which) => {
    const { shared, code, live } = bench();
    live(leaseMs + 1000, [shared[which === 'keyspace' ? 0 : 1] ?? 0]);
    for (let key = 1; key <= 40; key += 1) expect(code(key)).toBe('stale');
  });

  it('may hold a key that is not known here: neither it nor a foreign one is refused', () => {
    const { freeShard, code, live, verifier } = bench();
    expect(code(99)).toBe('unknown');
    live(1000, [freeShard]);
    expect(code(99)).toBe('stale');
    expect(verifier.verify('a-foreign-key', {}).code).toBe('stale');
  });

  it('may have lifted a refusal, but never a revocation', () => {
    const { freeShard, inShard, elsewhere, live, verifier, code } = bench();
    verifier.applyKey(keyFact(inShard, { revision: 2, state: 'suspended' }));
    verifier.applyKey(keyFact(elsewhere, { revision: 2, state: 'suspended' }));
    live(1000, [freeShard]);
    expect([code(inShard), code(elsewhere)]).toEqual(['stale', 'suspended']);
    verifier.applyKey(keyFact(inShard, { revision: 3, state: 'revoked' }));
    expect(code(inShard)).toBe('revoked');
  });

  it('has no lease at all once the clocks have disagreed', () => {
    const { clock, freeShard, inShard, elsewhere, code, live } = bench();
    live(1000, [freeShard]);
    clock.suspend(5000);
    expect(code(inShard)).toBe('stale');
    live(1000, [freeShard]);
    expect([code(inShard), code(elsewhere)]).toEqual(['stale', 'valid']);
  });
});
