import { parseArgs } from 'node:util';
import { SometimesCounts, sometimesNames } from './check/sometimes.ts';
import { messageOfFailure, replayOf } from './print-failure.ts';
import { type Mode, simulate } from './simulation.ts';

/*
 * npm run sim -- --seeds 50 --hours 2
 * npm run sim -- --seed 4711 --trace
 */

const { values } = parseArgs({
  options: {
    seed: { type: 'string', default: '1' },
    seeds: { type: 'string', default: '1' },
    hours: { type: 'string', default: '1' },
    mode: { type: 'string', default: 'liveness' },
    trace: { type: 'boolean', default: false },
  },
});

const first = wholeNumber('seed', values.seed, 0);
const count = wholeNumber('seeds', values.seeds, 1);
const hours = Number(values.hours);
if (!(hours > 0 && hours <= 1000)) refuse('--hours', 'a number from 0 to 1000');
if (values.mode !== 'safety' && values.mode !== 'liveness') refuse('--mode', 'safety or liveness');
const mode = values.mode as Mode;

const beganMs = performance.now();
const counts = new SometimesCounts();
let simulatedHours = 0;
let failures = 0;
const sums = { events: 0, verdicts: 0, requests: 0 };
for (let seed = first; seed < first + count; seed += 1) {
  const print = values.trace ? { print: (line: string) => console.log(line) } : {};
  const report = await simulate({ seed, hours, mode, ...print });
  simulatedHours += report.hours;
  sums.events += report.events;
  sums.verdicts += report.verdicts;
  sums.requests += report.requests;
  counts.addAll(report.counts);
  if (report.failure === undefined) {
    console.log(`seed ${seed}: ${report.hours.toFixed(2)} h, ${report.events} events, trace ${report.hash}`);
  } else {
    failures += 1;
    console.log(messageOfFailure(report, replayOf(seed, hours, mode)));
  }
}

const minutes = (performance.now() - beganMs) / 60_000;
console.log(
  `\n${simulatedHours.toFixed(1)} simulated hours in ${minutes.toFixed(2)} minutes: ` +
    `${(simulatedHours / minutes).toFixed(0)} hours a minute; ${sums.requests} requests, ${sums.verdicts} verdicts, ` +
    `${sums.events} events; ${failures} of ${count} seeds failed`,
);
for (const name of sometimesNames) console.log(`  ${String(counts.count(name)).padStart(8)}  ${name}`);
const missing = count >= 20 ? counts.missing : [];
for (const name of missing) console.log(`never: ${name}`);
process.exitCode = failures > 0 || missing.length > 0 ? 1 : 0;

function wholeNumber(name: string, text: string, min: number): number {
  const value = Number(text);
  if (!Number.isSafeInteger(value) || value < min) refuse(`--${name}`, `a whole number from ${min}`);
  return value;
}

function refuse(option: string, expected: string): never {
  console.error(`${option}: expected ${expected}`);
  process.exit(2);
}
