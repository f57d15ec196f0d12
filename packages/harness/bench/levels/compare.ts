import type { BenchResult, LevelResult, RunResult } from './bench-result.ts';
import { millis, rate } from './figures.ts';

/** Two results beside each other: runs of the same target and mix, levels of the same percentage. */
export function compareText(before: BenchResult, after: BenchResult): string {
  const lines = [`before  ${about(before)}`, `after   ${about(after)}`, ''];
  if (before.machine.cpu !== after.machine.cpu || before.machine.cores !== after.machine.cores) {
    lines.push('Different machines: the figures say more of them than of the code.', '');
  }
  let matched = 0;
  for (const run of after.runs) {
    const other = before.runs.find(({ target, mix }) => target === run.target && mix === run.mix);
    if (other === undefined) continue;
    matched += 1;
    lines.push(...compareRun(other, run), '');
  }
  if (matched === 0) lines.push('No run of the same target and mix is in both.');
  return lines.join('\n').trimEnd();
}

function about({ machine, command, keyswarm }: BenchResult): string {
  return `${machine.date}, ${machine.cpu}, ${machine.cores} cores, Node ${machine.node}, ${keyswarm}: ${command}`;
}

function compareRun(before: RunResult, after: RunResult): readonly string[] {
  const lines = [
    `${after.target}, ${after.mix}`,
    `  capacity/s  ${rate(before.capacityPerSecond)} → ${rate(after.capacityPerSecond)}  ${ratio(before.capacityPerSecond, after.capacityPerSecond)}`,
  ];
  if (before.flatness !== null && after.flatness !== null) {
    lines.push(`  flatness    ${before.flatness.toFixed(2)} → ${after.flatness.toFixed(2)}`);
  }
  for (const level of after.levels) {
    const other = before.levels.find(({ percent }) => percent === level.percent);
    if (other !== undefined) lines.push(compareLevel(other, level));
  }
  return lines;
}

function compareLevel(before: LevelResult, after: LevelResult): string {
  const level = `  ${String(after.percent).padStart(4)} %`;
  if (before.invalid !== null || after.invalid !== null)
    return `${level}  not comparable: a generator was late`;
  const goodput = `goodput/s ${rate(before.goodputPerSecond)} → ${rate(after.goodputPerSecond)}  ${ratio(before.goodputPerSecond, after.goodputPerSecond)}`;
  const p99 = `p99 ms ${millis(before.p99Ms)} → ${millis(after.p99Ms)}  ${ratio(before.p99Ms, after.p99Ms)}`;
  return `${level}  ${goodput}   ${p99}`;
}

function ratio(before: number | null, after: number | null): string {
  return before === null || after === null || before === 0 ? '' : `${(after / before).toFixed(2)}×`;
}
