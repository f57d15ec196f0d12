import { explore } from './explore.ts';
import { type Flaw, flaws } from './flaws.ts';
import { scenarios, shownBy } from './scenarios.ts';
import type { Scenario } from './world.ts';

/*
 * The model at larger bounds than the tests have time for:
 *
 *   node packages/verifier/src/model/run-model.ts [statesMax] [scenario or flaw]
 *
 * Without a name every scenario is searched as it is, and then with one ask more a verifier, up to `statesMax` states
 * each (a million takes some 2 GB). With the name of a flaw its counterexample is printed.
 */

const [statesText = '1000000', name] = process.argv.slice(2);
const statesMax = Number(statesText);
const say = (line: string) => process.stdout.write(`${line}\n`);

function search(scenario: Scenario, flaw?: Flaw): boolean {
  const only = flaw === undefined ? undefined : shownBy[flaw].breaks;
  const { states, complete, breach } = explore({ protocol: { scenario, flaw }, statesMax, only });
  say(`${scenario.name}${flaw === undefined ? '' : `, where ${flaws[flaw]}`}`);
  say(`  ${states} states, ${complete ? 'all of them' : 'not all'}`);
  for (const [at, label] of breach?.trace.entries() ?? []) say(`  ${at + 1}. ${label}`);
  if (breach !== undefined) say(`  => ${breach.what}`);
  return breach === undefined;
}

function isFlaw(text: string): text is Flaw {
  return Object.hasOwn(flaws, text);
}

if (name !== undefined && isFlaw(name)) {
  search(scenarios[shownBy[name].where], name);
} else {
  const wanted = Object.entries(scenarios).filter(([key]) => name === undefined || key === name);
  const kept = wanted
    .flatMap(([, scenario]) => [
      scenario,
      { ...scenario, name: `${scenario.name}, with one ask more`, asksMax: scenario.asksMax + 1 },
    ])
    .map((scenario) => search(scenario));
  if (kept.length === 0 || kept.includes(false)) process.exitCode = 1;
}
