import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { scenarioText } from './report/text-report.ts';
import { runScenario } from './run/run-scenario.ts';
import { isPassed, type Scenario } from './run/scenario.ts';
import { feedBlackhole } from './scenarios/feed-blackhole.ts';
import { shortRound } from './scenarios/scenarios.ts';

/* The short set, on real processes; the whole is `keyswarm chaos`. And one planted bug, lest the checker sees nothing. */

const folder = mkdtempSync(join(tmpdir(), 'keyswarm-chaos-test-'));
afterAll(() => rmSync(folder, { recursive: true }));

function play(scenario: Scenario, planted?: string) {
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
  it('every promise holds with a verifier killed, one cut off and one frozen, each while a key is revoked', async () => {
    const result = await play(shortRound);
    expect(isPassed(result), scenarioText(result)).toBe(true);
  });

  it('a verifier that accepts on a lease of any age is caught', async () => {
    const result = await play(feedBlackhole, 'accept-when-stale');
    const broken = (result.checked?.verdicts ?? []).filter(({ holds }) => !holds).map(({ id }) => id);
    expect(broken, scenarioText(result)).toContain('I1');
  });
});
