import { escapeText, htmlPage } from '../../report/html-page.ts';
import type { BenchResult, RunResult } from './bench-result.ts';
import { uslAt } from './fit-usl.ts';
import { type Plot, plotSvg } from './svg-plot.ts';
import { levelCells, levelHeadings, runFacts } from './table-report.ts';

export function htmlReport(result: BenchResult): string {
  const { machine, command, schedule, connections, generators, keys } = result;
  const about = `${machine.cpu}, ${machine.cores} cores, Node ${machine.node}, Keyswarm ${result.keyswarm}, ${machine.date}`;
  const how = `Open loop, ${schedule} arrivals, ${connections} connections of ${generators} generator processes, ${keys} keys; load, server and database on one machine. Latency counts from when a request was due. Goodput: answered as expected within a second of when it was due.`;
  const main = `<h1>Keyswarm under load</h1>
<p>${escapeText(about)}</p>
<p><code>${escapeText(command)}</code></p>
<p>${escapeText(how)}</p>
${result.runs.map(runHtml).join('\n')}`;
  return htmlPage({ title: `Keyswarm bench, ${machine.date}`, style, main });
}

function runHtml(run: RunResult): string {
  const facts = runFacts(run).map((fact) => `<li>${escapeText(fact)}</li>`);
  const plots = plotsOf(run).map((plot) => `<figure>${plotSvg(plot)}</figure>`);
  return `<section>
<h2>${escapeText(`${run.target}: ${run.mix}`)}</h2>
<ul>${facts.join('')}</ul>
<div class="plots">${plots.join('\n')}</div>
${tableHtml(run)}
</section>`;
}

function tableHtml(run: RunResult): string {
  const heads = levelHeadings.map((heading) => `<th scope="col">${escapeText(heading)}</th>`).join('');
  const rows = run.levels.map((level) => {
    const cells = levelCells(level).map((cell) => `<td>${escapeText(cell)}</td>`);
    const invalid =
      level.invalid === null ? '' : `<td class="invalid">invalid: ${escapeText(level.invalid)}</td>`;
    return `<tr>${cells.join('')}${invalid}</tr>`;
  });
  return `<div class="table"><table><thead><tr>${heads}</tr></thead><tbody>${rows.join('')}</tbody></table></div>`;
}

function plotsOf(run: RunResult): readonly Plot[] {
  return [latencyPlot(run), goodputPlot(run), shedPlot(run), ...uslPlot(run), ...burstPlot(run)];
}

function latencyPlot({ levels }: RunResult): Plot {
  const of = (pick: (level: (typeof levels)[number]) => number | null) =>
    levels.flatMap((level) => {
      const y = pick(level);
      return level.invalid !== null || y === null ? [] : [[level.percent, y] as const];
    });
  return {
    title: 'Latency by level',
    xLabel: '% of capacity offered',
    yLabel: 'ms from due to answered (log)',
    isLogY: true,
    lines: [
      { label: 'p50', tone: 'a', points: of(({ p50Ms }) => p50Ms) },
      { label: 'p99', tone: 'b', points: of(({ p99Ms }) => p99Ms) },
      { label: 'p99.9', tone: 'c', points: of(({ p999Ms }) => p999Ms) },
    ],
  };
}

function goodputPlot({ levels, kneePercent, capacityPerSecond }: RunResult): Plot {
  const valid = levels.filter(({ invalid }) => invalid === null);
  const most = Math.max(1, ...valid.map(({ offeredPerSecond }) => offeredPerSecond));
  const mark =
    kneePercent === null
      ? {}
      : { mark: { x: (capacityPerSecond * kneePercent) / 100, label: `knee, ${kneePercent} %` } };
  return {
    title: 'Goodput against offered load',
    xLabel: 'offered a second',
    yLabel: 'answered in time a second',
    lines:
      valid.length === 0
        ? []
        : [
            {
              label: 'offered',
              tone: 'muted',
              isDashed: true,
              points: [
                [0, 0],
                [most, most],
              ],
            },
            {
              label: 'goodput',
              tone: 'a',
              points: [
                [0, 0],
                ...valid.map((level) => [level.offeredPerSecond, level.goodputPerSecond] as const),
              ],
            },
          ],
    ...mark,
  };
}

function shedPlot({ levels }: RunResult): Plot {
  const of = (pick: (level: (typeof levels)[number]) => number) =>
    levels.map((level) => [level.percent, pick(level) * 100] as const);
  return {
    title: 'What was not answered in time',
    xLabel: '% of capacity offered',
    yLabel: '% of what was due',
    lines: [
      { label: 'shed by the server', tone: 'a', points: of(({ shedShare }) => shedShare) },
      { label: 'given up by the caller', tone: 'b', points: of(({ unsentShare }) => unsentShare) },
      { label: 'late or failed', tone: 'c', points: of((level) => level.lateShare + level.failedShare) },
    ],
  };
}

function uslPlot({ closed, usl }: RunResult): readonly Plot[] {
  if (usl === null) return [];
  const most = Math.max(...closed.map(({ underWay }) => underWay));
  const curve = Array.from({ length: 60 }, (_, step) => 1 + (step / 59) * (most - 1));
  return [
    {
      title: `Universal scalability law, R² ${usl.rSquared.toFixed(2)}`,
      xLabel: 'requests under way',
      yLabel: 'answered a second (closed loop)',
      lines: [
        {
          label: 'measured',
          tone: 'a',
          isScatter: true,
          points: closed.map(({ underWay, perSecond }) => [underWay, perSecond] as const),
        },
        {
          label: 'fit',
          tone: 'muted',
          isDashed: true,
          points: curve.map((n) => [n, uslAt(usl, n)] as const),
        },
      ],
    },
  ];
}

function burstPlot({ burst }: RunResult): readonly Plot[] {
  if (burst === null || burst.invalid !== null) return [];
  const perSecond = 1000 / burst.windowMs;
  const ok = burst.tally.windowsOk.map(
    (count, at) => [(at * burst.windowMs) / 1000, count * perSecond] as const,
  );
  return [
    {
      title: `A burst of ${Math.round(burst.burstPerSecond)} a second`,
      xLabel: 'seconds (when it was due)',
      yLabel: 'answered in time a second',
      lines: [{ label: 'goodput', tone: 'a', points: ok }],
      mark: { x: 1, label: 'burst' },
    },
  ];
}

const style = `
:root { color-scheme: light dark; --ink: #1c1e21; --soft: #5b6168; --paper: #fff; --grid: #d9dde1; --a: #0b63ce; --b: #b4560a; --c: #8a2c8f; }
@media (prefers-color-scheme: dark) { :root { --ink: #e8eaed; --soft: #a2a9b1; --paper: #15181c; --grid: #333a42; --a: #6db3ff; --b: #f0a35e; --c: #d891dc; } }
body { margin: 0; background: var(--paper); color: var(--ink); font: 15px/1.5 system-ui, sans-serif; }
main { max-width: 1180px; margin: 0 auto; padding: 24px 16px 64px; }
h1 { margin: 0 0 8px; } h2 { margin: 40px 0 8px; border-top: 1px solid var(--grid); padding-top: 24px; }
code { overflow-wrap: anywhere; }
.plots { display: grid; grid-template-columns: repeat(auto-fit, minmax(min(100%, 420px), 1fr)); gap: 16px; }
figure { margin: 0; } svg { width: 100%; height: auto; } svg text { fill: var(--soft); font-size: 12px; } svg .title { fill: var(--ink); font-size: 14px; font-weight: 600; }
.grid { stroke: var(--grid); } .mark { stroke: var(--soft); stroke-dasharray: 2 3; } .line { fill: none; stroke-width: 2; }
.line.a { stroke: var(--a); } .line.b { stroke: var(--b); } .line.c { stroke: var(--c); } .line.muted { stroke: var(--soft); }
.dot.a, .swatch.a { fill: var(--a); } .dot.b, .swatch.b { fill: var(--b); } .dot.c, .swatch.c { fill: var(--c); } .dot.muted, .swatch.muted { fill: var(--soft); }
.table { overflow-x: auto; } table { border-collapse: collapse; font-variant-numeric: tabular-nums; } th, td { text-align: right; padding: 4px 10px; border-bottom: 1px solid var(--grid); white-space: nowrap; }
.invalid { color: var(--b); text-align: left; }
`;
