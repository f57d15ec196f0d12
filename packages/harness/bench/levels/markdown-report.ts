import type { BenchResult } from './bench-result.ts';
import { levelCells, levelHeadings, runFacts } from './table-report.ts';

/** For docs/benchmarks.md. */
export function markdownReport(result: BenchResult): string {
  const { machine, command, schedule, connections, generators, keyswarm, keys } = result;
  const intro = [
    `${machine.cpu}, ${machine.cores} cores, Node ${machine.node}, Keyswarm ${keyswarm}, ${machine.date}: \`${command}\`.`,
    `Open loop, ${schedule} arrivals, ${connections} connections of ${generators} generator processes, ${keys} keys, all on the same machine as the server and its database.`,
  ].join(' ');
  const runs = result.runs.map((run) => {
    const rows = run.levels.map((level) => {
      const cells = [...levelCells(level)];
      if (level.invalid !== null) cells[0] = `${cells[0]} (invalid: generator late)`;
      return `| ${cells.join(' | ')} |`;
    });
    return [
      `### ${run.target}: ${run.mix}`,
      '',
      `${runFacts(run).join('; ')}.`,
      '',
      `| ${levelHeadings.join(' | ')} |`,
      `|${levelHeadings.map(() => '--:').join('|')}|`,
      ...rows,
    ].join('\n');
  });
  const left = (result.left ?? []).map((line) => `Not measured: ${line}.`);
  return [intro, ...runs, ...left].join('\n\n');
}
