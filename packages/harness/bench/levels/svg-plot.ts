import { escapeText } from '../../report/html-page.ts';

/* A plot as inline SVG: nothing is loaded, nothing is run. Colours come from the page's style by class. */

export interface PlotLine {
  readonly label: string;
  /** Class of the page's style: `a`, `b`, `c` or `muted`. */
  readonly tone: 'a' | 'b' | 'c' | 'muted';
  readonly points: readonly (readonly [x: number, y: number])[];
  readonly isDashed?: boolean;
  /** Dots alone. */
  readonly isScatter?: boolean;
}

export interface Plot {
  readonly title: string;
  readonly xLabel: string;
  readonly yLabel: string;
  readonly lines: readonly PlotLine[];
  readonly isLogY?: boolean;
  /** A vertical mark. */
  readonly mark?: { readonly x: number; readonly label: string };
}

const width = 560;
const height = 300;
const inner = { left: 64, right: 16, top: 40, bottom: 66 };
const ticksMax = 6;

export function plotSvg(plot: Plot): string {
  const points = plot.lines
    .flatMap((line) => line.points)
    .filter(([x, y]) => Number.isFinite(x) && Number.isFinite(y));
  if (points.length === 0) return `<p class="empty">${escapeText(plot.title)}: nothing to draw</p>`;
  const xs = scaleOf([0, ...points.map(([x]) => x)], {
    from: inner.left,
    to: width - inner.right,
    isLog: false,
  });
  const ys = scaleOf(plot.isLogY === true ? points.map(([, y]) => y) : [0, ...points.map(([, y]) => y)], {
    from: height - inner.bottom,
    to: inner.top,
    isLog: plot.isLogY === true,
  });
  const parts = [
    `<text class="title" x="${inner.left}" y="18">${escapeText(plot.title)}</text>`,
    ...xs.ticks.map((tick) => label(xs.at(tick), height - inner.bottom + 16, short(tick), 'middle')),
    ...ys.ticks.map(
      (tick) =>
        `<line class="grid" x1="${inner.left}" x2="${width - inner.right}" y1="${px(ys.at(tick))}" y2="${px(ys.at(tick))}"/>` +
        label(inner.left - 8, ys.at(tick) + 4, short(tick), 'end'),
    ),
    label((inner.left + width - inner.right) / 2, height - inner.bottom + 34, plot.xLabel, 'middle'),
    label(inner.left, inner.top - 8, plot.yLabel, 'start'),
    ...(plot.mark === undefined ? [] : [markSvg(plot.mark, xs)]),
    ...plot.lines.map((line) => lineSvg(line, xs, ys)),
    ...legendSvg(plot.lines),
  ];
  return `<svg viewBox="0 0 ${width} ${height}" role="img" aria-label="${escapeText(plot.title)}">${parts.join('')}</svg>`;
}

interface Scale {
  readonly ticks: readonly number[];
  at(value: number): number;
}

interface Span {
  readonly from: number;
  readonly to: number;
  readonly isLog: boolean;
}

function scaleOf(values: readonly number[], { from, to, isLog }: Span): Scale {
  if (isLog) {
    const least = Math.floor(Math.log10(Math.max(1e-6, Math.min(...values))));
    const most = Math.max(least + 1, Math.ceil(Math.log10(Math.max(...values, 1e-6))));
    const at = (value: number): number =>
      from + ((Math.log10(Math.max(value, 1e-6)) - least) / (most - least)) * (to - from);
    return { at, ticks: Array.from({ length: most - least + 1 }, (_, step) => 10 ** (least + step)) };
  }
  const most = Math.max(...values) || 1;
  const step = niceStep(most / ticksMax);
  const top = Math.ceil(most / step) * step;
  const ticks = Array.from({ length: Math.round(top / step) + 1 }, (_, index) => index * step);
  return { at: (value) => from + (value / top) * (to - from), ticks };
}

function niceStep(rough: number): number {
  const power = 10 ** Math.floor(Math.log10(rough));
  return ([1, 2, 5].find((factor) => factor * power >= rough) ?? 10) * power;
}

function lineSvg(line: PlotLine, xs: Scale, ys: Scale): string {
  const drawn = line.points.filter(([x, y]) => Number.isFinite(x) && Number.isFinite(y));
  const dots = drawn.map(
    ([x, y]) =>
      `<circle class="dot ${line.tone}" cx="${px(xs.at(x))}" cy="${px(ys.at(y))}" r="3"><title>${escapeText(`${line.label}: ${short(x)}, ${short(y)}`)}</title></circle>`,
  );
  if (line.isScatter === true) return dots.join('');
  const path = drawn.map(([x, y], at) => `${at === 0 ? 'M' : 'L'}${px(xs.at(x))} ${px(ys.at(y))}`).join('');
  const dash = line.isDashed === true ? ' stroke-dasharray="5 4"' : '';
  return `<path class="line ${line.tone}" d="${path}"${dash}/>${line.isDashed === true ? '' : dots.join('')}`;
}

function markSvg({ x, label: text }: { readonly x: number; readonly label: string }, xs: Scale): string {
  const at = px(xs.at(x));
  return (
    `<line class="mark" x1="${at}" x2="${at}" y1="${inner.top}" y2="${height - inner.bottom}"/>` +
    label(Number(at) + 4, inner.top + 12, text, 'start')
  );
}

function legendSvg(lines: readonly PlotLine[]): readonly string[] {
  const each = (width - inner.left - inner.right) / Math.max(1, lines.length);
  return lines.map(({ label: text, tone }, at) => {
    const x = inner.left + at * each;
    return `<rect class="swatch ${tone}" x="${px(x)}" y="${height - 18}" width="10" height="10"/>${label(x + 15, height - 9, text, 'start')}`;
  });
}

function label(x: number, y: number, text: string, anchor: 'start' | 'middle' | 'end'): string {
  return `<text x="${px(x)}" y="${px(y)}" text-anchor="${anchor}">${escapeText(text)}</text>`;
}

function px(value: number): string {
  return value.toFixed(1);
}

function short(value: number): string {
  if (value >= 1_000_000) return `${trim(value / 1_000_000)}M`;
  if (value >= 1_000) return `${trim(value / 1_000)}k`;
  return trim(value);
}

function trim(value: number): string {
  return String(Number(value.toPrecision(3)));
}
