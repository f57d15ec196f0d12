import { parseArgs } from 'node:util';
import { type ReportRow, reportText } from '../spine/report.ts';
import { benchWorkers } from './bench-workers.ts';

/*
 * npm run bench:workers -- [--workers 2] [--rounds 5] [--seconds 5] [--rate 2000] [--connections 64] [--json]
 *
 * `keyswarm start --workers N` beside one process on the same PostgreSQL. See bench-workers.ts for what the figures
 * say and what they don't.
 */

const { values } = parseArgs({
  options: {
    workers: { type: 'string', default: '2' },
    rounds: { type: 'string', default: '5' },
    seconds: { type: 'string', default: '5' },
    rate: { type: 'string', default: '2000' },
    connections: { type: 'string', default: '64' },
    json: { type: 'boolean', default: false },
  },
});
const workers = countOf('workers', values.workers);
const ratePerSecond = countOf('rate', values.rate);
const { one, several, cpuRatio, throughputRatio } = await benchWorkers({
  workers,
  ratePerSecond,
  rounds: countOf('rounds', values.rounds),
  seconds: countOf('seconds', values.seconds),
  connections: countOf('connections', values.connections),
});
const open = `open load, ${ratePerSecond}/s`;
const against = 'one worker';
const told = { against, goal: null } as const;
const rows: readonly ReportRow[] = [
  {
    ...told,
    name: `verify, ${workers} workers, ${open}`,
    unit: 'CPU µs/request',
    ours: several.cpuMicrosPerRequest,
    peer: one.cpuMicrosPerRequest,
    ratio: cpuRatio,
  },
  {
    ...told,
    name: 'verify, closed load',
    unit: 'CPU µs/request',
    ours: several.busyCpuMicrosPerRequest,
    peer: one.busyCpuMicrosPerRequest,
    ratio: one.busyCpuMicrosPerRequest / several.busyCpuMicrosPerRequest,
  },
  {
    ...told,
    name: 'at rest',
    unit: 'CPU µs/s',
    ours: several.restCpuMicros,
    peer: one.restCpuMicros,
    ratio: one.restCpuMicros / several.restCpuMicros,
  },
  {
    ...told,
    name: `p50 from due, ${open}`,
    unit: 'ms',
    ours: several.p50Ms,
    peer: one.p50Ms,
    ratio: one.p50Ms / several.p50Ms,
  },
  {
    ...told,
    name: `p99 from due, ${open}`,
    unit: 'ms',
    ours: several.p99Ms,
    peer: one.p99Ms,
    ratio: one.p99Ms / several.p99Ms,
  },
  {
    ...told,
    name: 'closed load, cores shared with the generator',
    unit: 'requests/s',
    ours: several.perSecond,
    peer: one.perSecond,
    ratio: throughputRatio,
  },
  {
    name: 'CPU of the least busy worker',
    against: 'an even share',
    unit: 'share',
    ours: several.leastShare,
    peer: null,
    ratio: null,
    goal: null,
  },
];
console.log(reportText(rows, { json: values.json }));

function countOf(name: string, text: string): number {
  const count = Number(text);
  if (Number.isSafeInteger(count) && count > 0) return count;
  console.error(`--${name}: expected a whole number above 0, got ${text}`);
  process.exit(2);
}
