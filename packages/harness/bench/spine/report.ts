import { cpus } from 'node:os';

/*
 * What a bench says of itself: one line a promise, with the peer that ran beside it, the ratio and the goal, and
 * the machine it ran on. A figure without its machine is a rumour.
 */

export interface ReportRow {
  readonly name: string;
  /** What ours is compared with, or how it was taken. */
  readonly against: string;
  readonly unit: string;
  readonly ours: number;
  readonly peer: number | null;
  /** Peer over ours for times, ours over peer for rates: above 1 is better than the peer. Null: ours alone counts. */
  readonly ratio: number | null;
  /** Of the ratio, or of ours where there is no ratio. Null: told, not promised. */
  readonly goal: { readonly atLeast: number } | { readonly atMost: number } | null;
}

export interface Machine {
  readonly cpu: string;
  readonly cores: number;
  readonly node: string;
  readonly date: string;
}

export function thisMachine(): Machine {
  const cores = cpus();
  return {
    cpu: cores[0]?.model.trim() ?? 'unknown',
    cores: cores.length,
    node: process.version,
    date: new Date().toISOString().slice(0, 10),
  };
}

/** Null where nothing was promised. */
export function meetsGoal({ goal, ratio, ours }: ReportRow): boolean | null {
  if (goal === null) return null;
  const figure = ratio ?? ours;
  return 'atLeast' in goal ? figure >= goal.atLeast : figure <= goal.atMost;
}

/** An aligned table for people, or JSON for whatever draws the curve over time. */
export function reportText(
  rows: readonly ReportRow[],
  { json = false, machine = thisMachine() }: { readonly json?: boolean; readonly machine?: Machine } = {},
): string {
  if (json) return JSON.stringify({ machine, rows: rows.map(toJson) }, null, 2);
  const table = [headings, ...rows.map(toCells)];
  const widths = headings.map((_, column) => Math.max(...table.map((cells) => cells[column]?.length ?? 0)));
  const lines = table.map((cells) =>
    cells.map((cell, column) => pad(cell, widths[column] ?? 0, column >= firstNumberColumn)).join('  '),
  );
  const [heading = '', ...body] = lines;
  const { cpu, cores, node, date } = machine;
  return [
    heading.trimEnd(),
    '-'.repeat(heading.length),
    ...body.map((line) => line.trimEnd()),
    '',
    `${cpu}, ${cores} cores, Node ${node}, ${date}`,
  ].join('\n');
}

const headings = ['what', 'against', 'unit', 'ours', 'peer', 'ratio', 'goal', 'met'];
const firstNumberColumn = 3;

function toCells(row: ReportRow): readonly string[] {
  const met = meetsGoal(row);
  return [
    row.name,
    row.against,
    row.unit,
    figure(row.ours),
    row.peer === null ? '' : figure(row.peer),
    row.ratio === null ? '' : `${row.ratio.toFixed(2)}×`,
    goalText(row),
    met === null ? '' : met ? 'yes' : 'NO',
  ];
}

function goalText({ goal, ratio }: ReportRow): string {
  if (goal === null) return '';
  const suffix = ratio === null ? '' : '×';
  return 'atLeast' in goal ? `≥ ${goal.atLeast}${suffix}` : `≤ ${goal.atMost}${suffix}`;
}

function toJson(row: ReportRow): object {
  return { ...row, met: meetsGoal(row) };
}

function figure(value: number): string {
  if (Math.abs(value) >= 100) return Math.round(value).toLocaleString('en-US');
  return value.toFixed(Math.abs(value) >= 10 ? 1 : 2);
}

function pad(text: string, width: number, toTheRight: boolean): string {
  return toTheRight ? text.padStart(width) : text.padEnd(width);
}
