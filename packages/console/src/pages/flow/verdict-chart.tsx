import { useEffect, useRef } from 'preact/hooks';
import uPlot from 'uplot';
import 'uplot/dist/uPlot.min.css';
import type { LiveFrame } from '@keyswarm/contract';
import { effect } from '@preact/signals';
import { rateText } from '../../format/numbers.ts';
import { frames, framesKept } from '../../live/live-store.ts';
import { refused, valid, verifications } from '../../live/series.ts';
import { nowMs } from '../../runtime/browser.ts';
import { theme } from '../../session/theme.ts';

const height = 300;

/** All verdicts as one hill, the refused ones and those without an answer laid into it, on one scale. */
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

function dataOf(all: readonly LiveFrame[]): uPlot.AlignedData {
  return [
    all.map(({ at }) => Date.parse(at) / 1000),
    all.map(verifications),
    all.map((frame) => verifications(frame) - valid(frame)),
    all.map((frame) => verifications(frame) - valid(frame) - refused(frame)),
  ];
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
  const area = (label: string, name: string): uPlot.Series => ({
    label,
    stroke: colour(`--${name}`),
    fill: colour(`--${name}-wash`),
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
    series: [{}, area('all', 'verify'), area('refused', 'revoke'), area('no verdict', 'stale')],
  };
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
