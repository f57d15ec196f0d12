import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { writeSection } from '../bench/markdown/write-section.ts';
import { findPlantedBug } from '../planted/planted-bugs.ts';
import { plantedCatches } from './planted-catches.ts';
import { scenarioText } from './report/text-report.ts';
import { runScenario } from './run/run-scenario.ts';
import { scenarios } from './scenarios/scenarios.ts';

/*
 * npm run chaos:planted -- [--bug NAME]… [--markdown docs/chaos.md]
 *
 * Plants each bug in a cluster and breaks that until the checker finds it: with the seed that found it before, and then
 * with others. Ends with 1 when one survives.
 */

const seedsMax = 4;
const { values } = parseArgs({
  options: { bug: { type: 'string', multiple: true }, markdown: { type: 'string' } },
});
const stopped = new AbortController();
process.once('SIGINT', () => stopped.abort()).once('SIGTERM', () => stopped.abort());
const folder = mkdtempSync(join(tmpdir(), 'keyswarm-chaos-planted-'));
const rows: string[] = [];
try {
  for (const wanted of plantedCatches) {
    if (values.bug !== undefined && !values.bug.includes(wanted.bug)) continue;
    rows.push(await hunt(wanted));
    console.log(rows.at(-1));
  }
} finally {
  rmSync(folder, { recursive: true, force: true });
}
if (values.markdown !== undefined) await writeSection(values.markdown, 'planted', tableOf(rows));
// See main.ts: a socket that was reset at the wrong moment would keep this process for ever.
process.stdout.write('', () => process.exit());

async function hunt({
  bug,
  scenario: name,
  seed,
  caughtBy,
}: (typeof plantedCatches)[number]): Promise<string> {
  const scenario = scenarios.find((one) => one.name === name);
  if (scenario === undefined) throw new Error(`there is no scenario ${name}`);
  const { breaks } = findPlantedBug(bug);
  for (let tried = seed; tried < seed + seedsMax; tried += 1) {
    const result = await runScenario(scenario, {
      seed: tried,
      isShort: true,
      length: 1,
      planted: bug,
      keepIn: folder,
      signal: stopped.signal,
      say: () => {},
    });
    stopped.signal.throwIfAborted();
    const broken = (result.checked?.verdicts ?? []).filter(({ holds }) => !holds);
    if (broken.some(({ id }) => id === caughtBy)) {
      const first = broken.find(({ id }) => id === caughtBy)?.violations[0] ?? '';
      return `| \`${bug}\` | ${breaks} | \`${name}\`, seed ${tried} | ${broken.map(({ id }) => id).join(', ')}: ${first} |`;
    }
    console.error(`${bug} survived seed ${tried}: ${scenarioText(result)}`);
  }
  process.exitCode = 1;
  return `| \`${bug}\` | ${breaks} | \`${name}\` | **survived** |`;
}

function tableOf(lines: readonly string[]): string {
  return ['| bug | what it breaks | scenario and seed | caught by |', '|---|---|---|---|', ...lines].join(
    '\n',
  );
}
