import { runScenario } from './run/run-scenario.ts';
import { scenarios } from './scenarios/scenarios.ts';
import { isPassed } from './run/scenario.ts';
const scenario = scenarios.find(({ name }) => name === process.argv[2]);
if (scenario === undefined) throw new Error('no');
const result = await runScenario(scenario, { seed: Number(process.argv[3] ?? 1), isShort: process.argv[4] === 'short', length: 1, planted: process.argv[5], keepIn: '/tmp/ks/chaos-out', signal: new AbortController().signal, say: (line) => console.log(line) });
console.log(JSON.stringify({ ...result, timeline: undefined, checked: { ...result.checked, windows: result.checked?.windows.length } }, null, 1), isPassed(result));
