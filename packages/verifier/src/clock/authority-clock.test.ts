import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { checkProperty } from '../testing/check-property.arbitrary.ts';
import { AuthorityClock } from './authority-clock.ts';
import { ManualVerifierClock } from './manual-verifier-clock.ts';

const startMs = 1_800_000_000_000;

/** This machine, and an authority whose wall clock is ahead of it. */
function clocks(aheadMs: number) {
  const machine = new ManualVerifierClock(startMs);
  const clock = new AuthorityClock(machine);
  let authorityMs = startMs + aheadMs;
  return {
    machine,
    clock,
    authorityMs: () => authorityMs,
    pass(ms: number, drift = 0) {
      machine.advance(ms);
      authorityMs += ms * (1 + drift);
    },
    setAuthority(ms: number) {
      authorityMs += ms;
    },
    /** A question that takes so long to get there, and its answer so long to come back. */
    ask(thereMs: number, backMs: number) {
      const askedAtMs = machine.monotonicMs();
      this.pass(thereMs);
      const wall = { earliestMs: authorityMs, latestMs: authorityMs };
      this.pass(backMs);
      clock.note(wall, askedAtMs, machine.monotonicMs());
    },
  };
}

describe('the clock of the authority', () => {
  it('is bounded by how long the question and its answer took', () => {
    const { clock, ask, authorityMs } = boundTo(clocks(3_600_000));
    ask(30, 10);
    expect(clock.earliestMs()).toBeLessThanOrEqual(authorityMs());
    expect(clock.latestMs()).toBeGreaterThanOrEqual(authorityMs());
    expect(clock.latestMs() - clock.earliestMs()).toBeCloseTo(40);
  });

  it('keeps what a fast answer said when a slow one follows', () => {
    const { clock, ask, pass } = boundTo(clocks(0));
    ask(1, 1);
    pass(250);
    ask(500, 900);
    expect(clock.uncertaintyMs).toBeLessThan(4);
  });

  it('does not move when somebody sets the clock of this machine', () => {
    const { clock, ask, machine, authorityMs } = boundTo(clocks(0));
    ask(1, 1);
    machine.stepWall(-3_600_000);
    expect(Math.abs(clock.latestMs() - authorityMs())).toBeLessThan(5);
  });

  it('follows an authority whose clock was set, or that another machine took over from', () => {
    const { clock, ask, setAuthority, authorityMs } = boundTo(clocks(0));
    ask(1, 1);
    setAuthority(60_000);
    ask(1, 1);
    expect(clock.earliestMs()).toBeLessThanOrEqual(authorityMs());
    expect(clock.latestMs()).toBeGreaterThanOrEqual(authorityMs());
  });

  it('takes no answer that came before its question, nor bounds the wrong way round', () => {
    const { clock, machine } = clocks(0);
    clock.note({ earliestMs: 5, latestMs: 5 }, 10, 9);
    clock.note({ earliestMs: 6, latestMs: 5 }, 9, 10);
    clock.note({ earliestMs: Number.NaN, latestMs: 5 }, 9, 10);
    expect(clock.latestMs()).toBe(machine.wallMs());
  });

  it('is within its bounds whatever the trips take, while clocks drift by no more than is allowed for', () => {
    const trip = fc.record({
      thereMs: fc.integer({ min: 0, max: 2000 }),
      backMs: fc.integer({ min: 0, max: 2000 }),
      passMs: fc.integer({ min: 0, max: 60_000 }),
      drift: fc.double({ min: -0.0009, max: 0.0009, noNaN: true }),
    });
    checkProperty(
      fc.property(fc.integer(), fc.array(trip, { minLength: 1, maxLength: 20 }), (aheadMs, trips) => {
        const { clock, ask, pass, authorityMs } = boundTo(clocks(aheadMs));
        for (const { thereMs, backMs, passMs, drift } of trips) {
          ask(thereMs, backMs);
          pass(passMs, drift);
          expect(clock.earliestMs()).toBeLessThanOrEqual(authorityMs() + 0.01);
          expect(clock.latestMs()).toBeGreaterThanOrEqual(authorityMs() - 0.01);
        }
      }),
      process.env,
      300,
    );
  });
});

function boundTo(made: ReturnType<typeof clocks>) {
  return { ...made, ask: made.ask.bind(made) };
}
