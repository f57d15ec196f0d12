import { parseArgs } from 'node:util';
import { benchInProcess, inProcessDefaults } from './in-process.ts';
import { meetsGoal, type ReportRow, reportText } from './report.ts';
import { benchServed, type ServedResult } from './served.ts';

/*
 * npm run bench:spine -- [--rounds 5] [--seconds 4] [--versions 10000,5000000] [--only in-process|served] [--json]
 *
 * Every figure is a ratio against a floor or a peer that ran in the same minutes on the same machine.
 */

const { values } = parseArgs({
  options: {
    rounds: { type: 'string', default: '5' },
    seconds: { type: 'string', default: '4' },
    versions: { type: 'string', default: inProcessDefaults.versions.join(',') },
    only: { type: 'string' },
    json: { type: 'boolean', default: false },
  },
});

const rows: ReportRow[] = [];
if (values.only !== 'served') {
  const versions = values.versions.split(',').map((text) => countOf('versions', text));
  rows.push(...benchInProcess({ ...inProcessDefaults, versions }));
}
if (values.only !== 'in-process') {
  const result = await benchServed({
    rounds: countOf('rounds', values.rounds),
    seconds: countOf('seconds', values.seconds),
  });
  rows.push(...servedRows(result));
}
console.log(reportText(rows, { json: values.json }));
if (rows.some((row) => meetsGoal(row) === false)) process.exitCode = 1;

function servedRows({ httpVerify, bulkVerifyPerSecond, single, bulk }: ServedResult): readonly ReportRow[] {
  return [
    {
      name: 'verify over HTTP',
      against: 'bare node:http JSON echo',
      unit: 'requests/s',
      ours: httpVerify.ours.perSecond,
      peer: httpVerify.floor.perSecond,
      ratio: httpVerify.throughputRatio,
      goal: { atLeast: 0.8 },
    },
    {
      name: 'verify over HTTP, cost',
      against: 'bare node:http JSON echo',
      unit: 'CPU µs/request',
      ours: httpVerify.ours.cpuMicrosPerRequest,
      peer: httpVerify.floor.cpuMicrosPerRequest,
      ratio: httpVerify.cpuRatio,
      goal: null,
    },
    {
      name: 'bulk verify over HTTP',
      against: 'one server process',
      unit: 'keys/s',
      ours: bulkVerifyPerSecond,
      peer: null,
      ratio: null,
      goal: { atLeast: 200_000 },
    },
    {
      name: 'issue, one key a call, 64 at once',
      against: 'the same rows, one transaction each',
      unit: 'keys/s',
      ours: single.oursPerSecond,
      peer: single.peerPerSecond,
      ratio: single.ratio,
      goal: { atLeast: 2 },
    },
    {
      name: 'issue in bulk of 1,000, 4 at once',
      against: 'raw multi-row insert of the same rows',
      unit: 'keys/s',
      ours: bulk.oursPerSecond,
      peer: bulk.peerPerSecond,
      ratio: bulk.ratio,
      goal: { atLeast: 0.5 },
    },
  ];
}

function countOf(name: string, text: string): number {
  const count = Number(text);
  if (Number.isSafeInteger(count) && count > 0) return count;
  console.error(`--${name}: expected a whole number above 0, got ${text}`);
  process.exit(2);
}
