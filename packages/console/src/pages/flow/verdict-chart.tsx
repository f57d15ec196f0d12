import { useEffect, useRef } from 'preact/hooks';
import uPlot from 'uplot';
import 'uplot/dist/uPlot.min.css';
import type { LiveFrame } from '@keyswarm/contract';
import { effect } from '@preact/signals';
import { rateText } from '../../format/numbers.ts';
import { frames, framesKept } from '../../live/live-store.ts';
import { nowMs } from '../../runtime/browser.ts';
import { theme } from '../../session/theme.ts';
import { type VerdictStyle, verdictStyles } from './verdict-styles.ts';

const height = 300;

/** All verdicts as one hill of layers: those without an answer lowest, the refused ones by their reasons, the valid ones on top. */
export function VerdictChart() {
  const box = useRef<HTMLDivElement>(null);
  useEffect(() => {
    const element = box.current;
    if (element === null) return;
    let plot: uPlot | undefined;
    const draw = (): void => {
      plot?.destroy();
      plot = new uPlot(optionsFor(element), dataOf(frames.value), element);
    };
    // Colours come from the style sheet, so another theme is another drawing.
    const scheme = matchMedia('(prefers-color-scheme: dark)');
    scheme.addEventListener('change', draw);
    const stopTheme = effect(() => {
      void theme.value;
      draw();
    });
    const stopFrames = effect(() => plot?.setData(dataOf(frames.value)));
    const sizes = new ResizeObserver(() => plot?.setSize({ width: element.clientWidth, height }));
    sizes.observe(element);
    return () => {
      stopTheme();
      stopFrames();
      sizes.disconnect();
      scheme.removeEventListener('change', draw);
      plot?.destroy();
    };
  }, []);
  return (
    <div class="chart" ref={box} role="img" aria-label="Verifications a second over the last two minutes" />
  );
}

/** One line a layer: what of the verdicts lies below its upper edge. A layer of which there is nothing is not drawn. */
function dataOf(all: readonly LiveFrame[]): uPlot.AlignedData {
  const edges: (number | null)[][] = verdictStyles.map(() => []);
  const isSeen = verdictStyles.map(({ verdict }) => all.some(({ verdicts }) => (verdicts[verdict] ?? 0) > 0));
  for (const { verdicts } of all) {
    let edge = 0;
    for (const [layer, { verdict }] of verdictStyles.entries()) {
      edge += verdicts[verdict] ?? 0;
      edges[layer]?.push(isSeen[layer] ? edge : null);
    }
  }
  // The highest first, as they are drawn: each covers the part of the ones before that is not theirs.
  return [all.map(({ at }) => Date.parse(at) / 1000), ...edges.toReversed()];
}

function optionsFor(element: HTMLElement): uPlot.Options {
  const styles = getComputedStyle(element);
  const colour = (name: string): string => styles.getPropertyValue(name).trim();
  const axis = {
    stroke: colour('--muted'),
    grid: { stroke: colour('--line'), width: 1 },
    ticks: { show: false },
    font: `11px ${styles.fontFamily}`,
  };
  const ground = colour('--surface');
  const area = ({ meaning, colour: name, dash }: VerdictStyle): uPlot.Series => ({
    label: meaning,
    stroke: colour(`--${name}`),
    fill: mixed(colour(`--${name}`), ground),
    dash: [...dash],
    width: 1.5,
    points: { show: false },
  });
  return {
    width: element.clientWidth,
    height,
    legend: { show: false },
    cursor: { show: false },
    padding: [8, 16, 0, 0],
    scales: {
      x: { time: true, range: () => windowNow() },
      y: { range: (_, __, max) => [0, Math.max(1, max * 1.15)] },
    },
    axes: [
      {
        ...axis,
        size: 26,
        splits: () => [120, 90, 60, 30, 0].map((ago) => windowNow()[1] - ago),
        values: (_, ticks) => ticks.map(agoTick),
      },
      { ...axis, size: 46, values: (_, ticks) => ticks.map(rateText) },
    ],
    series: [{}, ...verdictStyles.toReversed().map(area)],
  };
}

/** A quiet ground for a layer. Opaque, so that layers below do not shine through and change its colour. */
function mixed(colour: string, ground: string): string {
  const [a, b] = [colour, ground].map(channelsOf);
  const mix = [0, 1, 2].map((at) => Math.round((a?.[at] ?? 0) * 0.24 + (b?.[at] ?? 0) * 0.76));
  return `rgb(${mix.join(' ')})`;
}

/** Of `#2f4bd6`, and of `#fff`, as the style sheet is made short. */
function channelsOf(hex: string): readonly number[] {
  const digits =
    hex.length === 4 ? [...hex.slice(1)].map((digit) => digit + digit) : hex.slice(1).match(/../g);
  return (digits ?? []).map((pair) => Number.parseInt(pair, 16));
}

function windowNow(): [number, number] {
  const last = frames.value.at(-1);
  const now = last === undefined ? nowMs() / 1000 : Date.parse(last.at) / 1000;
  return [now - framesKept, now];
}

const agoTick = (at: number): string => {
  const seconds = Math.round(windowNow()[1] - at);
  return seconds === 0 ? 'now' : `−${seconds} s`;
};
