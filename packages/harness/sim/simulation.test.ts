import { describe, expect, it } from 'vitest';
import { closeTheHouse } from './kernel/traps.ts';
import type { Pace } from './nodes/plan.ts';
import { messageOfFailure, replayOf } from './print-failure.ts';
import { regressionSeeds } from './regression-seeds.ts';
import { type Mode, type SimulationReport, simulate } from './simulation.ts';

/** The same worlds at each run, so that a failure is the change's; `SEED` and `SIM_SEEDS` choose others, as `npm run sim` does. */
const more = { first: Number(process.env.SEED ?? 20_000), count: Number(process.env.SIM_SEEDS ?? 2) };

async function expectGood(
  seed: number,
  hours: number,
  mode: Mode,
  pace: Pace = 'busy',
): Promise<SimulationReport> {
  const choice = { seed, hours, mode, pace };
  const report = await simulate(choice);
  expect(messageOfFailure(report, replayOf(choice))).toBe('');
  return report;
}

describe('a simulated world', () => {
  it('is the same world again for the same seed, to the letter of its trace', async () => {
    const once = await expectGood(8, 0.03, 'liveness');
    const again = await expectGood(8, 0.03, 'liveness');
    expect(again.hash).toBe(once.hash);
    expect(again.events).toBe(once.events);
    expect(once.verdicts).toBeGreaterThan(0);
    const other = await expectGood(9, 0.03, 'liveness');
    expect(other.hash).not.toBe(once.hash);
  });

  it.each(regressionSeeds)('keeps every promise in seed $seed: $because', async ({ seed, hours, mode }) => {
    await expectGood(seed, hours, mode);
  });

  // One of them may be too short for a key to be presented, so nothing is asked of what happened there.
  it('keeps every promise in worlds of no particular seed', async () => {
    for (let at = 0; at < more.count; at += 1) await expectGood(more.first + at, 0.05, 'liveness');
  });

  it('keeps every promise through hours in which little happens', async () => {
    await expectGood(1, 2, 'liveness', 'calm');
  });

  it('is shut against the machine: who asks it for time or chance is told so', () => {
    const open = closeTheHouse(() => {});
    const asked = [() => Date.now(), () => Math.random(), () => performance.now()];
    const answers = asked.map((ask) => {
      try {
        return ask();
      } catch (error) {
        return error;
      }
    });
    open();
    for (const answer of answers) expect(String(answer)).toContain('is not simulated');
    expect(Date.now()).toBeGreaterThan(0);
  });
});
