import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { scenarioText } from './report/text-report.ts';
import { runScenario } from './run/run-scenario.ts';
import { isPassed } from './run/scenario.ts';
import { scenarios, shortSet } from './scenarios/scenarios.ts';

/* The short set, on real processes; the whole is `keyswarm chaos`. And one planted bug, lest the checker sees nothing. */

const folder = mkdtempSync(join(tmpdir(), 'keyswarm-chaos-test-'));
afterAll(() => rmSync(folder, { recursive: true }));

async function play(name: string, planted?: string) {
  const scenario = scenarios.find((one) => one.name === name);
  if (scenario === undefined) throw new Error(`there is no ${name}`);
  return runScenario(scenario, {
    seed: Number(process.env.SEED ?? 1),
    isShort: true,
    length: 1,
    planted,
    keepIn: folder,
    signal: new AbortController().signal,
    say: () => {},
  });
}

describe('broken on purpose', () => {
  it.each(shortSet)('%s: every promise holds, and what had to happen did', async (name) => {
    const result = await play(name);
    expect(isPassed(result), scenarioText(result)).toBe(true);
  });

  it('a verifier that accepts on a lease of any age is caught', async () => {
    const result = await play('feed-blackhole', 'accept-when-stale');
    const broken = (result.checked?.verdicts ?? []).filter(({ holds }) => !holds).map(({ id }) => id);
    expect(broken, scenarioText(result)).toContain('I1');
  });
});
