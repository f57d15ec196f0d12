import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { parseArgs } from 'node:util';
import { SometimesCounts, sometimesNames } from './check/sometimes.ts';
import { paces } from './nodes/plan.ts';
import { runSeed, type SeedResult } from './seed-result.ts';
import type { Mode } from './simulation.ts';

/*
 * npm run sim -- --seeds 50 --hours 2 [--jobs 2] [--mode safety] [--pace calm]
 * npm run sim -- --seed 4711 --trace
 */

/** From how many seeds on a run has to have met every interesting case. */
const seedsToMeetAll = 20;

const { values } = parseArgs({
  options: {
    seed: { type: 'string', default: '1' },
    seeds: { type: 'string', default: '1' },
    hours: { type: 'string', default: '1' },
    jobs: { type: 'string', default: '1' },
    mode: { type: 'string', default: 'liveness' },
    pace: { type: 'string', default: 'busy' },
    trace: { type: 'boolean', default: false },
  },
});

const first = wholeNumber('seed', values.seed, 0);
const count = wholeNumber('seeds', values.seeds, 1);
const jobs = Math.min(wholeNumber('jobs', values.jobs, 1), count);
const hours = Number(values.hours);
if (!(hours > 0 && hours <= 1000)) refuse('--hours', 'a number from 0 to 1000');
if (values.mode !== 'safety' && values.mode !== 'liveness') refuse('--mode', 'safety or liveness');
const mode = values.mode as Mode;
const pace = paces.find((one) => one === values.pace) ?? refuse('--pace', paces.join(' or '));

const beganMs = performance.now();
const counts = new SometimesCounts();
const sums = { hours: 0, events: 0, verdicts: 0, requests: 0, failures: 0 };

if (jobs === 1) {
  const print = values.trace ? (line: string) => console.log(line) : undefined;
  for (let seed = first; seed < first + count; seed += 1)
    take(await runSeed({ seed, hours, mode, pace }, print));
} else {
  await Promise.all(Array.from({ length: jobs }, (_, job) => runJob(job)));
}

const minutes = (performance.now() - beganMs) / 60_000;
console.log(
  `\n${sums.hours.toFixed(1)} simulated hours in ${minutes.toFixed(2)} minutes: ` +
    `${(sums.hours / minutes).toFixed(1)} hours a minute; ${sums.requests} requests, ${sums.verdicts} verdicts, ` +
    `${sums.events} events; ${sums.failures} of ${count} seeds failed`,
);
for (const name of sometimesNames) console.log(`  ${String(counts.count(name)).padStart(8)}  ${name}`);
const missing = count >= seedsToMeetAll ? counts.missing : [];
for (const name of missing) console.log(`NEVER: ${name}`);
process.exitCode = sums.failures > 0 || missing.length > 0 ? 1 : 0;

function take(result: SeedResult): void {
  sums.hours += result.hours;
  sums.events += result.events;
  sums.verdicts += result.verdicts;
  sums.requests += result.requests;
  for (const [name, met] of result.counts) counts.note(name, met);
  if (result.failure !== null) sums.failures += 1;
  const { seed, events, hash } = result;
  console.log(
    result.failure ?? `seed ${seed}: ${result.hours.toFixed(2)} h, ${events} events, trace ${hash}`,
  );
}

async function runJob(job: number): Promise<void> {
  const program = join(import.meta.dirname, 'run-slice.ts');
  const choice = { seed: first + job, hours, mode, pace };
  const args = [String(count - job), String(jobs), JSON.stringify(choice)];
  const child = spawn(process.execPath, [program, ...args], { stdio: ['ignore', 'pipe', 'inherit'] });
  for await (const line of createInterface({ input: child.stdout })) take(JSON.parse(line) as SeedResult);
  if (child.exitCode !== null && child.exitCode !== 0) sums.failures += 1;
}

function wholeNumber(name: string, text: string, min: number): number {
  const value = Number(text);
  if (!Number.isSafeInteger(value) || value < min) refuse(`--${name}`, `a whole number from ${min}`);
  return value;
}

function refuse(option: string, expected: string): never {
  console.error(`${option}: expected ${expected}`);
  process.exit(2);
}
