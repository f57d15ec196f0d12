import { invariants } from '../checker/verdict.ts';
import { isPassed, type ScenarioResult } from '../run/scenario.ts';
import { type ChaosReport, percent, slowestRecoveryMs, worstWindowMs } from './report.ts';

/** The table of docs/chaos.md. */
export function markdownReport(report: ChaosReport): string {
  const { machine, keyswarm } = report;
  const command = 'keyswarm chaos';
  const acked = report.results.reduce((sum, { checked }) => sum + (checked?.acked ?? 0), 0);
  const operations = report.results.reduce((sum, one) => sum + one.operations, 0);
  return [
    `${machine.cpu}, ${machine.cores} cores, Node ${machine.node}, Keyswarm ${keyswarm}, ${machine.date}, ${seedsOf(report)}: \`${command}\`.`,
    `${operations} operations recorded, ${acked} acknowledged changes checked against the store at the end of each scenario.`,
    '',
    '| scenario | held | worst window, T = 2,020 ms | worst window, T = 30,300 ms | slowest recovery | answered where nothing was broken | in all | changes checked | `sometimes` reached |',
    '|---|---|--:|--:|--:|--:|--:|--:|--:|',
    ...report.results.map(row),
    ...report.left.map(({ name, why }) => `| \`${name}\` | not run: ${why} | | | | | | | |`),
    '',
    'What each promise was checked on, all scenarios together:',
    '',
    '| promise | checks | broken |',
    '|---|--:|--:|',
    ...Object.entries(invariants).map(([id, name]) => promiseRow(report, id, name)),
  ].join('\n');
}

/** A report may be of several runs. */
function seedsOf({ results }: ChaosReport): string {
  const seeds = [...new Set(results.map(({ seed }) => seed))];
  return `${seeds.length === 1 ? 'seed' : 'seeds'} ${seeds.join(', ')}`;
}

function row(result: ScenarioResult): string {
  const { checked } = result;
  const broken = (checked?.verdicts ?? []).filter(({ holds }) => !holds).map(({ id }) => id);
  const held = isPassed(result) ? 'yes' : broken.length > 0 ? `**no: ${broken.join(', ')}**` : '**no**';
  const recovery = slowestRecoveryMs(result);
  const reached = result.sometimes.filter(({ reached: was }) => was).length;
  const cells = [
    `\`${result.name}\``,
    held,
    `${Math.round(worstWindowMs(result, 'strict'))} ms`,
    `${Math.round(worstWindowMs(result, 'usual'))} ms`,
    recovery === null ? '–' : `${(recovery / 1000).toFixed(1)} s`,
    percent(checked?.availability.answered ?? 0, checked?.availability.asked ?? 0),
    percent(checked?.availability.answeredInAll ?? 0, checked?.availability.askedInAll ?? 0),
    String(checked?.acked ?? 0),
    `${reached} of ${result.sometimes.length}`,
  ];
  return `| ${cells.join(' | ')} |`;
}

function promiseRow(report: ChaosReport, id: string, name: string): string {
  const own = report.results
    .flatMap(({ checked }) => checked?.verdicts ?? [])
    .filter((verdict) => verdict.id === id);
  const checks = own.reduce((sum, { checked }) => sum + checked, 0);
  const broken = own.reduce((sum, { violationCount }) => sum + violationCount, 0);
  return `| ${id} ${name} | ${checks} | ${broken} |`;
}
