import { describe, expect, it } from 'vitest';
import { closeTheHouse } from './kernel/traps.ts';
import { messageOfFailure, replayOf } from './print-failure.ts';
import { regressionSeeds } from './regression-seeds.ts';
import { type Mode, type SimulationReport, simulate } from './simulation.ts';

/** `SEED` and `RUNS` of the environment choose the fresh worlds. */
const fresh = {
  first: Number(process.env.SEED ?? 1 + (Date.now() % 1_000_000)),
  count: Number(process.env.SIM_SEEDS ?? 2),
};

async function expectGood(seed: number, hours: number, mode: Mode): Promise<SimulationReport> {
  const report = await simulate({ seed, hours, mode });
  expect(messageOfFailure(report, replayOf(seed, hours, mode))).toBe('');
  return report;
}

describe('a simulated world', () => {
  it('is the same world again for the same seed, to the letter of its trace', async () => {
    const once = await expectGood(8, 0.03, 'liveness');
    const again = await expectGood(8, 0.03, 'liveness');
    expect(again.hash).toBe(once.hash);
    expect(again.events).toBe(once.events);
    const other = await expectGood(9, 0.03, 'liveness');
    expect(other.hash).not.toBe(once.hash);
  });

  it.each(regressionSeeds)('keeps every promise in seed $seed: $because', async ({ seed, hours, mode }) => {
    await expectGood(seed, hours, mode);
  });

  it('keeps every promise in worlds that nobody has seen before', async () => {
    for (let at = 0; at < fresh.count; at += 1) {
      const report = await expectGood(fresh.first + at, 0.05, 'liveness');
      expect(report.verdicts).toBeGreaterThan(0);
    }
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
