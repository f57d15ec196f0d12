import { rate } from '../levels/figures.ts';
import { thisMachine } from '../spine/report.ts';
import type { ContestResult } from './contestants.ts';

/** For the terminal and for docs/benchmarks.md alike. */
export function peersMarkdown(results: readonly ContestResult[], command: string): string {
  const { cpu, cores, node, date } = thisMachine();
  return [
    `${cpu}, ${cores} cores, Node ${node}, ${date}: \`${command}\`.`,
    ...results.map(contestMarkdown),
  ].join('\n\n');
}

function contestMarkdown({ title, unit, about, rows }: ContestResult): string {
  const lines = rows.map(({ name, what, perSecond, ratio, goal }) => {
    const reached =
      goal === null || ratio === null ? '' : ` (goal ≥ ${goal}×${ratio >= goal ? '' : ', missed'})`;
    return `| ${name} | ${what} | ${rate(perSecond)} | ${ratio === null ? '' : `${times(ratio)}${reached}`} |`;
  });
  return [`### ${title}`, '', about, '', `| | | ${unit} | Keyswarm is |`, '|---|---|--:|--:|', ...lines].join(
    '\n',
  );
}

function times(ratio: number): string {
  return `${ratio >= 10 ? Math.round(ratio).toLocaleString('en-US') : ratio.toFixed(2)}×`;
}
