import { formatDurationMs } from '../parse/duration.ts';
import type { Terminal } from './terminal.ts';

const repaintEveryMs = 100;
const barCells = 24;

export interface Progress {
  /** `done` of the total are done by now. */
  at(done: number): void;
}

export interface ProgressOptions {
  readonly label: string;
  /** Undefined: not known before the end. */
  readonly total: number | undefined;
  readonly nowMs: () => number;
}

/** A bar on stderr while somebody watches, repainted ten times a second at the most. */
export function startProgress(terminal: Terminal, { label, total, nowMs }: ProgressOptions): Progress {
  const startedMs = nowMs();
  let paintedMs = Number.NEGATIVE_INFINITY;
  return {
    at(done) {
      const elapsedMs = nowMs() - startedMs;
      if (!terminal.watched || nowMs() - paintedMs < repaintEveryMs) return;
      paintedMs = nowMs();
      terminal.rewrite(formatProgress(label, { done, total, elapsedMs }));
    },
  };
}

export interface ProgressFigures {
  readonly done: number;
  readonly total: number | undefined;
  readonly elapsedMs: number;
}

/** `issued  [########                ]  3,400 of 10,000  1,200/s  5s left`. */
export function formatProgress(label: string, { done, total, elapsedMs }: ProgressFigures): string {
  const perSecond = elapsedMs > 0 ? (done * 1_000) / elapsedMs : 0;
  const rate = `${count(Math.round(perSecond))}/s`;
  if (total === undefined) return `${label}  ${count(done)}  ${rate}`;
  const share = total === 0 ? 1 : done / total;
  const bar = '#'.repeat(Math.round(share * barCells)).padEnd(barCells);
  const isCounting = perSecond > 0 && done < total;
  const left = isCounting ? `  ${formatDurationMs(((total - done) / perSecond) * 1_000)} left` : '';
  return `${label}  [${bar}]  ${count(done)} of ${count(total)}  ${rate}${left}`;
}

export function count(value: number): string {
  return value.toLocaleString('en-US');
}
