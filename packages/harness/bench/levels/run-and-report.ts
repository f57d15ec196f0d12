import { readFileSync } from 'node:fs';
import { readFile, writeFile } from 'node:fs/promises';
import { writeSection } from '../markdown/write-section.ts';
import { thisMachine } from '../spine/report.ts';
import { type BenchCommand, type BenchOptions, commandText } from './bench-args.ts';
import { BenchError } from './bench-error.ts';
import { type BenchResult, resultVersion } from './bench-result.ts';
import { compareText } from './compare.ts';
import { htmlReport } from './html-report.ts';
import { markdownReport } from './markdown-report.ts';
import { runBench } from './run-bench.ts';
import { tableReport } from './table-report.ts';

/** Does what was asked and says it; returns the exit code. */
export async function runAndReport(
  command: Exclude<BenchCommand, { readonly kind: 'help' }>,
): Promise<number> {
  if (command.kind === 'compare') {
    console.log(compareText(await readResult(command.before), await readResult(command.after)));
    return 0;
  }
  const { options } = command;
  const { runs, left } = await interruptible((signal) =>
    runBench(options, { say: (line) => console.error(line), signal }),
  );
  const result: BenchResult = {
    version: resultVersion,
    machine: thisMachine(),
    command: commandText(process.argv.slice(2)),
    keyswarm: versionOfThis(),
    schedule: options.schedule,
    connections: options.connections,
    generators: options.generators,
    seed: options.seed,
    keys: options.keys,
    runs,
    left,
  };
  console.log(tableReport(result));
  await writeFiles(options, result);
  const levels = runs.flatMap((run) => run.levels);
  const isWrong = levels.some(({ wrong }) => wrong > 0) || runs.some(({ burst }) => (burst?.wrong ?? 0) > 0);
  const isMeasured = levels.some(({ invalid }) => invalid === null);
  if (isWrong) console.error('A verdict was not that of its key: a rule was bent under load.');
  if (!isMeasured) console.error('No level is valid: the generators were late in all of them.');
  for (const line of left) console.error(line);
  return isWrong || !isMeasured || left.length > 0 ? 1 : 0;
}

/** Ctrl-C and SIGTERM end the load and then whatever was started for it. */
async function interruptible<T>(work: (signal: AbortSignal) => Promise<T>): Promise<T> {
  const controller = new AbortController();
  const stop = (): void => controller.abort(new BenchError('stopped before the end: nothing was written'));
  process.once('SIGINT', stop).once('SIGTERM', stop);
  try {
    return await work(controller.signal);
  } finally {
    process.off('SIGINT', stop).off('SIGTERM', stop);
  }
}

async function writeFiles(options: BenchOptions, result: BenchResult): Promise<void> {
  if (options.out !== undefined) await writeFile(options.out, `${JSON.stringify(result)}\n`);
  if (options.html !== undefined) await writeFile(options.html, htmlReport(result));
  if (options.markdown !== undefined) await writeSection(options.markdown, 'levels', markdownReport(result));
}

export async function readResult(path: string): Promise<BenchResult> {
  const text = await readFile(path, 'utf8').catch(() => undefined);
  if (text === undefined) throw new BenchError(`${path}: there is no such file`);
  let parsed: unknown;
  try {
    parsed = JSON.parse(text);
  } catch {
    parsed = undefined;
  }
  const result = parsed as Partial<BenchResult> | null | undefined;
  if (result?.version !== resultVersion || !Array.isArray(result.runs)) {
    throw new BenchError(
      `${path}: expected what \`keyswarm bench --out\` wrote, of version ${resultVersion}`,
    );
  }
  return result as BenchResult;
}

function versionOfThis(): string {
  const path = new URL('../../package.json', import.meta.url);
  const { version }: { version: string } = JSON.parse(readFileSync(path, 'utf8'));
  return version;
}
