import type { BenchResult, LevelResult, RunResult } from './bench-result.ts';
import { millis, percent, rate } from './figures.ts';

/** For a terminal. */
export function tableReport(result: BenchResult): string {
  const { machine, command, schedule, connections, generators } = result;
  return [
    ...result.runs.map(runText),
    `${machine.cpu}, ${machine.cores} cores, Node ${machine.node}, ${machine.date}`,
    `${command}: open loop, ${schedule} arrivals, ${connections} connections of ${generators} generators, on the same machine`,
    'Goodput counts what was answered as expected within a second of when it was due.',
  ].join('\n');
}

export const levelHeadings = [
  'load %',
  'offered/s',
  'goodput/s',
  'p50 ms',
  'p99 ms',
  'p99.9 ms',
  'shed %',
  'given up %',
  'late %',
  'failed %',
  'wrong',
  'CPU',
] as const;

export function levelCells(level: LevelResult): readonly string[] {
  return [
    String(level.percent),
    rate(level.offeredPerSecond),
    rate(level.goodputPerSecond),
    millis(level.p50Ms),
    millis(level.p99Ms),
    millis(level.p999Ms),
    percent(level.shedShare),
    percent(level.unsentShare),
    percent(level.lateShare),
    percent(level.failedShare),
    String(level.wrong),
    level.serverCpuShare === null ? '–' : level.serverCpuShare.toFixed(2),
  ];
}

/** What a run comes to, in sentences. */
export function runFacts(run: RunResult): readonly string[] {
  const facts = [`keeps up with ${rate(run.capacityPerSecond)} a second`];
  const highest = run.levels.findLast(({ invalid }) => invalid === null)?.percent;
  if (run.kneePercent !== null) {
    const isHighest = run.kneePercent === highest;
    facts.push(isHighest ? `no knee up to ${highest} % of it` : `knee at ${run.kneePercent} % of it`);
  }
  if (run.flatness !== null) {
    facts.push(`goodput at ${highest} % is ${run.flatness.toFixed(2)} of the highest`);
  }
  const { burst, usl } = run;
  if (burst !== null) {
    const recovered =
      burst.recoveredAfterMs === null
        ? 'not recovered after'
        : `all in time again ${burst.recoveredAfterMs} ms after`;
    const invalid = burst.invalid === null ? '' : ` (INVALID: ${burst.invalid})`;
    facts.push(
      `burst of ${rate(burst.burstPerSecond)}/s for ${burst.burstSeconds} s: ${rate(burst.goodputPerSecond)}/s in time, ${recovered} it${invalid}`,
    );
  }
  if (usl !== null) {
    facts.push(
      `USL: λ ${rate(usl.lambda)}/s, σ ${usl.sigma.toFixed(3)}, κ ${usl.kappa.toExponential(1)}, R² ${usl.rSquared.toFixed(2)}`,
    );
  }
  return facts;
}

function runText(run: RunResult): string {
  const rows = [[...levelHeadings], ...run.levels.map((level) => [...levelCells(level)])];
  const widths = levelHeadings.map((_, column) =>
    Math.max(...rows.map((cells) => cells[column]?.length ?? 0)),
  );
  const lines = rows.map((cells, at) => {
    const invalid = at === 0 ? null : (run.levels[at - 1]?.invalid ?? null);
    const text = cells.map((cell, column) => cell.padStart(widths[column] ?? 0)).join('  ');
    return invalid === null ? text : `${text}  INVALID: ${invalid}`;
  });
  const facts = runFacts(run).map((fact) => `  ${fact}`);
  return [`${run.target}, ${run.mix}`, ...facts, '', ...lines, ''].join('\n');
}
