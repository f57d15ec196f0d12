import { leaseDriftRatio } from '@keyswarm/core';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { ManualVerifierClock } from '../clock/manual-verifier-clock.ts';
import { createResidentVerifier } from '../resident-verifier.ts';
import { checkProperty } from '../testing/check-property.arbitrary.ts';
import {
  keyFact,
  keyRow,
  keyString,
  keyspaceFact,
  ownerFact,
  sampleSeed,
  startMs,
} from '../testing/sample-facts.arbitrary.ts';
import type { ResidentVerifier } from '../verifier-port.ts';

/*
 * The verifier itself among late, lost and repeated rows, slow answers, snapshots of any age and a machine that
 * sleeps, with an authority that keeps a log in memory and the true time. Key 1 lives in shard 0 and key 2 in
 * shard 1; the row with the number `revokedAt` of its shard revokes it, and the rows around it change nothing.
 */

const leaseMs = 2000;
const shards = [0, 1] as const;
const revokedAt = 2;

type Shard = (typeof shards)[number];
type Plant = 'renewsUnapplied' | 'asksAtAnswer' | 'heartbeat' | undefined;

interface AskInFlight {
  readonly p0Ms: number;
  readonly heads: readonly number[];
}

class Run {
  readonly #plant: Plant;
  readonly #clock = new ManualVerifierClock(startMs);
  readonly #verifier: ResidentVerifier;
  readonly #heads = [0, 0];
  /** True time at which each key's revocation was acknowledged. */
  readonly #ackedAtMs = [Number.POSITIVE_INFINITY, Number.POSITIVE_INFINITY];
  #asks: AskInFlight[] = [];
  /** The next row of this shard can't be read here. */
  readonly #bad = new Set<Shard>();
  /** Keys that this verifier has refused as revoked: it may not take that back. */
  readonly #refused = new Set<Shard>();
  #trueMs = 0;
  #valid = 0;

  constructor(plant: Plant) {
    this.#plant = plant;
    this.#verifier = createResidentVerifier({ clock: this.#clock, shards: 2, indexSeed: sampleSeed });
    this.snapshot([0, 0]);
  }

  get valid(): number {
    return this.#valid;
  }

  commit(shard: Shard): void {
    const seq = (this.#heads[shard] ?? 0) + 1;
    this.#heads[shard] = seq;
    if (seq === revokedAt) this.#ackedAtMs[shard] = this.#trueMs;
  }

  row(shard: Shard, seq: number): void {
    if (seq >= 1 && seq <= (this.#heads[shard] ?? 0) && !this.#bad.has(shard))
      this.#verifier.applyRow(rowOf(shard, seq));
    if (this.#plant === 'heartbeat') this.#verifier.renewLease(this.#clock.monotonicMs());
  }

  catchUp(): void {
    for (const shard of shards) {
      for (let seq = 1; seq <= (this.#heads[shard] ?? 0); seq += 1) this.row(shard, seq);
    }
  }

  ask(): void {
    this.#asks.push({ p0Ms: this.#clock.monotonicMs(), heads: [...this.#heads] });
  }

  /** An answer arrives, and stays: it may arrive again. It counts once everything up to it is applied. */
  answer(which: number): void {
    const answer = this.#asks[which % Math.max(1, this.#asks.length)];
    if (answer === undefined) return;
    const { seqs } = this.#verifier.applied();
    const behind = shards.filter((shard) => (seqs[shard] ?? 0) < (answer.heads[shard] ?? 0));
    const applied = behind.every((shard) => this.#bad.has(shard));
    if (!applied && this.#plant !== 'renewsUnapplied') return;
    this.#verifier.renewLease(
      this.#plant === 'asksAtAnswer' ? this.#clock.monotonicMs() : answer.p0Ms,
      applied ? behind : [],
    );
    // One at a time, as the lease asks of whoever renews it: what was asked before this grant and after its ask is not
    // waited for any more. An older answer may still come.
    this.#asks = this.#asks.filter(({ p0Ms }) => p0Ms <= answer.p0Ms);
  }

  /** Of any age: what the authority, or a relay behind it, once held. */
  snapshot(wanted: readonly number[]): void {
    const seqs = this.#heads.map((head, shard) => Math.min(head, wanted[shard] ?? 0));
    const load = this.#verifier.startSnapshot();
    load.applyKeyspace(keyspaceFact(1, { leaseMs }));
    load.applyOwner(ownerFact(1));
    for (const shard of shards) load.applyKey(factAfter(shard, seqs[shard] ?? 0));
    load.finish({ epoch: 1, seqs });
  }

  toggleBad(shard: Shard): void {
    if (!this.#bad.delete(shard)) this.#bad.add(shard);
  }

  pass(ms: number, asleep: boolean): void {
    this.#trueMs += ms;
    if (asleep) this.#clock.suspend(ms);
    else this.#clock.advance(ms);
  }

  check(): void {
    for (const shard of shards) {
      const { code } = this.#verifier.verify(keyString(shard + 1), {});
      if (code === 'revoked') this.#refused.add(shard);
      if (code !== 'valid') continue;
      this.#valid += 1;
      expect(this.#refused.has(shard)).toBe(false);
      expect(this.#trueMs - (this.#ackedAtMs[shard] ?? 0)).toBeLessThanOrEqual(leaseMs);
    }
  }
}

function factAfter(shard: Shard, seq: number) {
  return keyFact(shard + 1, { revision: seq + 1, state: seq >= revokedAt ? 'revoked' : 'active' });
}

function rowOf(shard: Shard, seq: number) {
  return keyRow(seq, factAfter(shard, seq), { shard, keyspace: keyspaceFact(1, { leaseMs }) });
}

const shard = fc.constantFrom(...shards);
const small = fc.nat({ max: 3 });
const step: fc.Arbitrary<(run: Run) => void> = fc.oneof(
  shard.map((at) => (run: Run) => run.commit(at)),
  fc.tuple(shard, small).map(
    ([at, seq]) =>
      (run: Run) =>
        run.row(at, seq),
  ),
  shard.map((at) => (run: Run) => run.toggleBad(at)),
  fc.constant((run: Run) => run.catchUp()),
  fc.constant((run: Run) => run.ask()),
  fc.nat({ max: 9 }).map((which) => (run: Run) => run.answer(which)),
  fc.tuple(small, small).map((seqs) => (run: Run) => run.snapshot(seqs)),
  fc.integer({ min: 1, max: 1500 }).map((ms) => (run: Run) => run.pass(ms, false)),
  fc.integer({ min: 1, max: 3000 }).map((ms) => (run: Run) => run.pass(ms, true)),
);

function property(plant: Plant, told: (run: Run) => void = () => {}) {
  return fc.property(fc.array(step, { maxLength: 60, size: 'max' }), (steps) => {
    const run = new Run(plant);
    for (const take of steps) {
      // No two things happen at one instant: a base at the very instant of a swap can't be told from an earlier one.
      run.pass(1, false);
      take(run);
      run.check();
    }
    told(run);
  });
}

/**
 * A relay took its base at 0. At 1 a revocation was acknowledged under a lease of 2 s, at 2 the lease was raised, and
 * at 3 the verifier heard of the raise alone. At 1000 it asks the relay, whose slow clock says that 990 have passed.
 */
function codeAfterRaise(baseMs: (p0Ms: number, ageMs: number) => number): string {
  const clock = new ManualVerifierClock(startMs, 0);
  const verifier = createResidentVerifier({ clock, shards: 2, indexSeed: sampleSeed });
  const load = verifier.startSnapshot();
  load.applyKeyspace(keyspaceFact(1, { leaseMs }));
  load.applyOwner(ownerFact(1));
  load.applyKey(keyFact(1));
  load.finish({ epoch: 1, seqs: [0, 0] });
  clock.advance(3);
  verifier.applyKeyspace(keyspaceFact(1, { revision: 2, leaseMs: 30_000 }));
  clock.advance(997);
  verifier.renewLease(baseMs(clock.monotonicMs(), 990));
  clock.advance(leaseMs);
  return verifier.verify(keyString(1), {}).code;
}

describe('an age that was told by a slow clock', () => {
  it('is taken for longer by ρ, lest a raise slip in between what the relay knew and the base', () => {
    expect(codeAfterRaise((p0Ms, ageMs) => p0Ms - ageMs * (1 + leaseDriftRatio))).toBe('stale');
    expect(codeAfterRaise((p0Ms, ageMs) => p0Ms - ageMs)).toBe('valid');
  });
});

describe('a resident verifier', () => {
  it('never says VALID of a key later than L after its revocation was acknowledged, nor after it has refused it', () => {
    let valid = 0;
    checkProperty(
      property(undefined, (run) => {
        valid += run.valid;
      }),
      process.env,
      600,
    );
    expect(valid).toBeGreaterThan(0);
  });

  it.each(['renewsUnapplied', 'asksAtAnswer', 'heartbeat'] as const)(
    'is caught when whoever feeds it is wrong: %s',
    (plant) => {
      expect(fc.check(property(plant), { numRuns: 6000, seed: 7 }).failed).toBe(true);
    },
  );
});
