import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { ManualVerifierClock } from '../clock/manual-verifier-clock.ts';
import { checkProperty } from '../testing/check-property.arbitrary.ts';
import { startMs } from '../testing/sample-facts.arbitrary.ts';
import { Lease } from './lease.ts';

interface AnyLease {
  renew(p0MonotonicMs: number): void;
  holds(leaseMs: number, wallMs: number): boolean;
}

type MakeLease = (clock: ManualVerifierClock) => AnyLease;

const leaseMs = 30_000;
const jumpMsMax = 500;

function held(lease: AnyLease, clock: ManualVerifierClock): boolean {
  return lease.holds(leaseMs, clock.latestMs());
}

/** Each rule says whether a lease keeps it. The real one keeps all; each planted bug has to break the one it names. */
const rules = {
  'there is no lease before the first renewal': (make: MakeLease) => {
    const clock = new ManualVerifierClock(startMs);
    return !held(make(clock), clock);
  },
  'it holds for exactly L after the heads were asked for': (make: MakeLease) => {
    const { clock, lease } = renewed(make);
    clock.advance(leaseMs);
    const atTheEnd = held(lease, clock);
    clock.advance(1);
    return atTheEnd && !held(lease, clock);
  },
  'it counts from the question, not from the answer': (make: MakeLease) => {
    const clock = new ManualVerifierClock(startMs);
    const lease = make(clock);
    const p0 = clock.monotonicMs();
    clock.advance(10_000);
    lease.renew(p0);
    clock.advance(leaseMs - 9999);
    return !held(lease, clock);
  },
  'a late answer to an old question never moves it back': (make: MakeLease) => {
    const { clock, lease } = renewed(make);
    const old = clock.monotonicMs() - 20_000;
    lease.renew(old);
    clock.advance(leaseMs - 10_000);
    return held(lease, clock);
  },
  'an answer from the future is no answer': (make: MakeLease) => {
    const { clock, lease } = renewed(make);
    lease.renew(Number.NaN);
    lease.renew(clock.monotonicMs() + 60_000);
    clock.advance(leaseMs + 1);
    return !held(lease, clock);
  },
  'time that passes after the table was read counts': (make: MakeLease) => {
    const { clock, lease } = renewed(make);
    const wallWhenRead = clock.latestMs();
    clock.advance(leaseMs + 1);
    return !lease.holds(leaseMs, wallWhenRead);
  },
  'a suspended machine has no lease when it wakes': (make: MakeLease) => {
    const { clock, lease } = renewed(make);
    clock.suspend(leaseMs + 1);
    return !held(lease, clock);
  },
  'a short suspension counts as age': (make: MakeLease) => {
    const { clock, lease } = renewed(make);
    clock.advance(leaseMs - 200);
    clock.suspend(400);
    return !held(lease, clock);
  },
  'a machine that slept before it heard the answer is charged with its sleep': (make: MakeLease) => {
    const clock = new ManualVerifierClock(startMs);
    const lease = make(clock);
    const p0 = clock.monotonicMs();
    clock.suspend(400);
    lease.renew(p0);
    clock.advance(leaseMs - 300);
    return !held(lease, clock);
  },
  'a machine that slept for long before it heard the answer has no lease': (make: MakeLease) => {
    const clock = new ManualVerifierClock(startMs);
    const lease = make(clock);
    const p0 = clock.monotonicMs();
    clock.suspend(leaseMs + 1);
    lease.renew(p0);
    return !held(lease, clock);
  },
  'a jump drops it, and only heads asked for after that bring it back': (make: MakeLease) => {
    const { clock, lease } = renewed(make);
    const asked = clock.monotonicMs();
    clock.advance(1000);
    clock.suspend(jumpMsMax + 1);
    const dropped = !held(lease, clock);
    lease.renew(asked);
    const stillDropped = !held(lease, clock);
    clock.advance(1);
    lease.renew(clock.monotonicMs());
    return dropped && stillDropped && held(lease, clock);
  },
  'a wall clock set back drops it': (make: MakeLease) => {
    const { clock, lease } = renewed(make);
    clock.stepWall(-3_600_000);
    return !held(lease, clock);
  },
} satisfies Record<string, (make: MakeLease) => boolean>;

type Rule = keyof typeof rules;

function renewed(make: MakeLease) {
  const clock = new ManualVerifierClock(startMs, 100_000);
  const lease = make(clock);
  lease.renew(clock.monotonicMs());
  return { clock, lease };
}

/** A lease with a bug in it, as somebody in a hurry might write it. */
class BuggyLease implements AnyLease {
  readonly #clock: ManualVerifierClock;
  readonly #bug: Rule;
  readonly #true: Lease;
  #baseMs = Number.NEGATIVE_INFINITY;

  constructor(clock: ManualVerifierClock, bug: Rule) {
    this.#clock = clock;
    this.#bug = bug;
    this.#true = new Lease(clock, jumpMsMax);
    if (bug === 'there is no lease before the first renewal') this.#baseMs = clock.monotonicMs();
  }

  renew(p0MonotonicMs: number): void {
    this.#true.renew(p0MonotonicMs);
    const { monotonic, backwards, fromAnswer } = this.#facets();
    if (fromAnswer) this.#baseMs = this.#clock.monotonicMs();
    else if (backwards || (monotonic && !(p0MonotonicMs <= this.#baseMs))) this.#baseMs = p0MonotonicMs;
    else if (p0MonotonicMs > this.#baseMs && p0MonotonicMs <= this.#clock.monotonicMs())
      this.#baseMs = p0MonotonicMs;
  }

  holds(leaseMs: number, wallMs: number): boolean {
    if (this.#bug === 'time that passes after the table was read counts') {
      return wallMs - startMs - this.#baseMs + 100_000 <= leaseMs;
    }
    if (this.#bug === 'it holds for exactly L after the heads were asked for') {
      return this.#clock.monotonicMs() - this.#baseMs <= leaseMs * 1.01;
    }
    return this.#clock.monotonicMs() - this.#baseMs <= leaseMs;
  }

  #facets() {
    return {
      backwards: this.#bug === 'a late answer to an old question never moves it back',
      monotonic: this.#bug === 'an answer from the future is no answer',
      fromAnswer: this.#bug === 'it counts from the question, not from the answer',
    };
  }
}

describe('the lease', () => {
  const real: MakeLease = (clock) => new Lease(clock, jumpMsMax);

  it.each(Object.entries(rules))('%s', (_, rule) => {
    expect(rule(real)).toBe(true);
  });

  it.each(Object.keys(rules) as Rule[])('a bug planted against "%s" is caught', (name) => {
    expect(rules[name]((clock) => new BuggyLease(clock, name))).toBe(false);
  });

  it('is never held longer than L of real time after the last question it may count', () => {
    const steps = fc.oneof(
      fc.record({ kind: fc.constant('advance' as const), ms: fc.integer({ min: 0, max: 20_000 }) }),
      fc.record({ kind: fc.constant('suspend' as const), ms: fc.integer({ min: 0, max: 60_000 }) }),
      fc.record({ kind: fc.constant('ask' as const), ms: fc.constant(0) }),
      fc.record({ kind: fc.constant('answer' as const), ms: fc.constant(0) }),
    );
    checkProperty(
      fc.property(fc.array(steps, { maxLength: 60 }), (walk) => {
        const clock = new ManualVerifierClock(startMs);
        const lease = real(clock);
        let nowMs = 0;
        let asked: { readonly p0: number; readonly atMs: number } | undefined;
        let provenAtMs = Number.NEGATIVE_INFINITY;
        for (const { kind, ms } of walk) {
          if (kind === 'ask') {
            asked ??= { p0: clock.monotonicMs(), atMs: nowMs };
          } else if (kind === 'answer') {
            if (asked === undefined) continue;
            lease.renew(asked.p0);
            provenAtMs = Math.max(provenAtMs, asked.atMs);
            asked = undefined;
          } else {
            clock[kind](ms);
            nowMs += ms;
          }
          if (held(lease, clock)) expect(nowMs - provenAtMs).toBeLessThanOrEqual(leaseMs);
        }
      }),
      process.env,
      500,
    );
  });
});
