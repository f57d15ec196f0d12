import { mkdirSync, readFileSync } from 'node:fs';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { writeSection } from '../../bench/markdown/write-section.ts';
import { thisMachine } from '../../bench/spine/report.ts';
import { findPlantedBug } from '../../planted/planted-bugs.ts';
import { ChaosError } from '../chaos-error.ts';
import { htmlReport } from '../report/html-report.ts';
import { markdownReport } from '../report/markdown-report.ts';
import type { ChaosReport } from '../report/report.ts';
import { scenarioText } from '../report/text-report.ts';
import { scenarios } from '../scenarios/scenarios.ts';
import type { ChaosOptions } from './chaos-args.ts';
import { runScenario } from './run-scenario.ts';
import { isPassed, type ScenarioResult } from './scenario.ts';

const reportFolder = 'chaos-report';

/** Runs what was asked for, says what was found as it goes on, writes it down; gives the exit code. */
export async function runAndReport(options: ChaosOptions): Promise<number> {
  if (options.planted !== undefined) expectPlanted(options.planted);
  const folder = options.out ?? reportFolder;
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  const left = options.scenarios.flatMap(({ name, missing }) => {
    const why = missing?.();
    return why === undefined ? [] : [{ name, why }];
  });
  for (const { name, why } of left) console.error(`left out: ${name}: ${why}`);
  if (left.length === options.scenarios.length) throw new ChaosError('there is nothing left to run');
  console.error(`seed ${options.seed}`);
  const results: ScenarioResult[] = [];
  await interruptible(options.endsWithParent, async (signal) => {
    for (const scenario of options.scenarios) {
      if (left.some(({ name }) => name === scenario.name)) continue;
      const say = (line: string): void => console.error(`${scenario.name}: ${line}`);
      const { isShort, length, planted } = options;
      const seed = options.seedOf.get(scenario.name) ?? options.seed;
      const result = await runScenario(scenario, {
        seed,
        isShort,
        length,
        planted,
        keepIn: folder,
        signal,
        say,
      });
      // A Ctrl-C ends the programs that are just being run as well, and that they failed is heard before it is.
      if (result.broken !== undefined) await sleep(100);
      signal.throwIfAborted();
      results.push(result);
      console.log(scenarioText(result));
    }
  });
  const before = options.isAppended ? await resultsBefore(folder, results) : [];
  await write(folder, options, {
    version: 1,
    machine: thisMachine(),
    keyswarm: versionOfThis(),
    command: ['keyswarm chaos', ...process.argv.slice(2).filter((one) => one !== '--ends-with-parent')].join(
      ' ',
    ),
    seed: options.seed,
    planted: options.planted,
    results: inOrder([...before, ...results]),
    left,
  });
  const failed = results.filter((result) => !isPassed(result));
  console.log(
    failed.length === 0
      ? `\nEvery promise held in ${results.length} scenarios. ${join(folder, 'report.html')}`
      : `\nBROKEN: ${failed.map(({ name }) => name).join(', ')}. ${join(folder, 'report.html')}`,
  );
  return failed.length === 0 ? 0 : 1;
}

/** Of scenarios that were not run again. */
async function resultsBefore(
  folder: string,
  again: readonly ScenarioResult[],
): Promise<readonly ScenarioResult[]> {
  const text = await readFile(join(folder, 'report.json'), 'utf8').catch(() => undefined);
  if (text === undefined) return [];
  const report = JSON.parse(text) as Partial<ChaosReport>;
  if (report.version !== 1) throw new ChaosError(`${folder}: report.json is not of this version`);
  return (report.results ?? []).filter(({ name }) => !again.some((one) => one.name === name));
}

function inOrder(results: readonly ScenarioResult[]): readonly ScenarioResult[] {
  const place = (name: string): number => scenarios.findIndex((scenario) => scenario.name === name);
  return results.toSorted((a, b) => place(a.name) - place(b.name));
}

/** Ctrl-C and SIGTERM end the scenario, and then whatever was started for it. */
async function interruptible(
  endsWithParent: boolean,
  work: (signal: AbortSignal) => Promise<void>,
): Promise<void> {
  const controller = new AbortController();
  const stop = (): void => controller.abort(new ChaosError('stopped before the end: there is no report'));
  process.once('SIGINT', stop).once('SIGTERM', stop);
  if (endsWithParent) process.stdin.once('end', stop).resume();
  try {
    await work(controller.signal);
  } finally {
    process.off('SIGINT', stop).off('SIGTERM', stop);
    process.stdin.off('end', stop);
  }
}

async function write(folder: string, options: ChaosOptions, report: ChaosReport): Promise<void> {
  await writeFile(join(folder, 'report.json'), `${JSON.stringify(report)}\n`);
  await writeFile(join(folder, 'report.html'), htmlReport(report));
  if (options.markdown !== undefined) await writeSection(options.markdown, 'chaos', markdownReport(report));
}

function expectPlanted(name: string): void {
  try {
    findPlantedBug(name);
  } catch (error) {
    throw new ChaosError(`--planted: ${error instanceof Error ? error.message : String(error)}`);
  }
}

function versionOfThis(): string {
  const path = new URL('../../package.json', import.meta.url);
  const { version }: { version: string } = JSON.parse(readFileSync(path, 'utf8'));
  return version;
}
