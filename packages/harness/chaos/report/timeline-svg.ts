import { escapeText } from '../../report/html-page.ts';
import type { Timeline } from '../run/scenario.ts';

/*
 * Time from left to right. Above, what verifiers said, by the second; below, each revocation and how long after its acknowledgement it
 * was last accepted. Faults are bands behind both, paler until everything was served again.
 */

const width = 1040;
const left = 52;
const right = 8;
const counts = { top: 26, height: 150 };
const windows = { top: 214, height: 90 };
const height = 350;

const series = [
  { key: 'valid', label: 'valid' },
  { key: 'refused', label: 'revoked, suspended, expired' },
  { key: 'away', label: '503 or 429' },
  { key: 'lost', label: 'no reply' },
] as const;

export function timelineSvg(timeline: Timeline): string {
  const x = (seconds: number): number => left + (seconds / timeline.seconds) * (width - left - right);
  const parts = [
    ...bands(timeline, x),
    ...axis(timeline, x),
    ...lines(timeline, x),
    ...dots(timeline, x),
    ...series.map(
      ({ key, label }, at) =>
        `<rect class="swatch ${key}" x="${left + at * 210}" y="${height - 14}" width="10" height="10"/>${text(left + at * 210 + 15, height - 5, label)}`,
    ),
  ];
  return `<svg viewBox="0 0 ${width} ${height}" role="img" aria-label="what happened when">${parts.join('')}</svg>`;
}

function bands({ faults, seconds }: Timeline, x: (seconds: number) => number): readonly string[] {
  return faults.flatMap(({ name, fromS, untilS, recoveredS }) => {
    const backS = Math.min(seconds, recoveredS ?? seconds);
    const title = `<title>${escapeText(`${name}: ${fromS.toFixed(1)}–${untilS.toFixed(1)} s`)}</title>`;
    return [
      rect('band', x(fromS), x(untilS), title),
      rect('after', x(untilS), x(Math.max(untilS, backS)), title),
    ];
  });
}

function rect(name: string, from: number, until: number, inside: string): string {
  const top = counts.top;
  const tall = windows.top + windows.height - top;
  return `<rect class="${name}" x="${px(from)}" y="${top}" width="${px(Math.max(1, until - from))}" height="${tall}">${inside}</rect>`;
}

function axis(timeline: Timeline, x: (seconds: number) => number): readonly string[] {
  const step =
    [1, 2, 5, 10, 20, 30, 60, 120, 300, 600].find((each) => timeline.seconds / each <= 14) ?? 1_200;
  const ticks = Array.from({ length: Math.floor(timeline.seconds / step) + 1 }, (_, at) => at * step);
  const most = mostOf(timeline);
  return [
    text(left, 16, 'verifications a second, by what was said'),
    text(left, windows.top - 8, 'each revocation: ms from its acknowledgement to the last acceptance (log)'),
    ...ticks.map((tick) => text(x(tick), height - 28, `${tick} s`)),
    ...[0, most].map((value) => text(8, countY(value, most) + 4, String(value))),
    ...[1, 100, 10_000].map((value) => text(8, windowY(value) + 4, String(value))),
    ...[countY(0, most), windowY(1)].map(
      (y) => `<line class="grid" x1="${left}" x2="${width - right}" y1="${px(y)}" y2="${px(y)}"/>`,
    ),
  ];
}

function lines(timeline: Timeline, x: (seconds: number) => number): readonly string[] {
  const most = mostOf(timeline);
  return series.map(({ key }) => {
    const path = timeline[key].map(
      (count, at) => `${at === 0 ? 'M' : 'L'}${px(x(at + 0.5))} ${px(countY(count, most))}`,
    );
    return `<path class="line ${key}" d="${path.join('')}"/>`;
  });
}

function dots(timeline: Timeline, x: (seconds: number) => number): readonly string[] {
  return timeline.windows.map(
    ({ atS, ms }) =>
      `<circle class="dot" cx="${px(x(Math.min(atS, timeline.seconds)))}" cy="${px(windowY(ms))}" r="2.5"><title>${ms.toFixed(1)} ms</title></circle>`,
  );
}

function mostOf(timeline: Timeline): number {
  return Math.max(1, ...series.flatMap(({ key }) => timeline[key]));
}

function countY(count: number, most: number): number {
  return counts.top + counts.height * (1 - count / most);
}

/** From 1 ms at the bottom to 100 s. */
function windowY(ms: number): number {
  return windows.top + windows.height * (1 - Math.log10(Math.max(1, ms)) / 5);
}

function text(x: number, y: number, said: string): string {
  return `<text x="${px(x)}" y="${px(y)}">${escapeText(said)}</text>`;
}

function px(value: number): string {
  return value.toFixed(1);
}
