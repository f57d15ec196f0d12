import { randomBytes } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { mintKeyString } from '@keyswarm/core';
import { startServerProcess } from '../../acceptance/server-process.ts';
import { quantile } from '../../bound/open-load.ts';
import { startPostgres } from '../../postgres/index.ts';
import { cpuSecondsOf } from '../load/measure.ts';
import { LeaseAsker } from './lease-asker.ts';

/*
 * npm run bench:lease -- [--verifiers 1000] [--seconds 20]
 *
 * What the leases of so many verifiers cost one relay: each asks four times a second over a connection of its own.
 * No ratio and no floor: the figures are CPU of the server's process, requests a second, head reads a second.
 */

const { values } = parseArgs({
  options: {
    verifiers: { type: 'string', default: '1000' },
    seconds: { type: 'string', default: '20' },
  },
});
const verifiers = countOf('verifiers', values.verifiers);
const seconds = countOf('seconds', values.seconds);

const dataDir = await mkdtemp(join(tmpdir(), 'keyswarm-lease-'));
const postgres = await startPostgres({ own: true });
const managementKey = mintKeyString('keyswarm', randomBytes);
const server = await startServerProcess({
  dataDir,
  bootstrapKey: managementKey,
  databaseUrl: await postgres.createDatabase('lease'),
  masterKey: randomBytes(32).toString('base64'),
});
try {
  const port = Number(new URL(server.url).port);
  const askers = Array.from(
    { length: verifiers },
    (_, at) => new LeaseAsker({ port, managementKey, number: at }),
  );
  const periodMs = 250;
  for (const asker of askers) asker.start(periodMs, Math.random() * periodMs);
  await sleep(3_000);
  for (const asker of askers) asker.take();
  const headsBefore = await headReads(server.url);
  const cpuBefore = await cpuSecondsOf(server.pid);
  const began = performance.now();
  await sleep(seconds * 1000);
  const tookS = (performance.now() - began) / 1000;
  const cpuS = (await cpuSecondsOf(server.pid)) - cpuBefore;
  const heads = (await headReads(server.url)) - headsBefore;
  const taken = askers.map((asker) => asker.take());
  for (const asker of askers) asker.stop();
  const granted = taken.reduce((sum, one) => sum + one.granted, 0);
  const refused = taken.reduce((sum, one) => sum + one.refused, 0);
  const latencies = taken.flatMap((one) => one.latenciesMs).sort((a, b) => a - b);
  console.log(`verifiers               ${verifiers}, each asking every ${periodMs} ms`);
  console.log(`leases granted          ${Math.round(granted / tookS)}/s (${refused} refused)`);
  console.log(
    `answer                  p50 ${quantile(latencies, 0.5).toFixed(1)} ms, p99 ${quantile(latencies, 0.99).toFixed(1)} ms`,
  );
  console.log(
    `server's CPU            ${((cpuS / tookS) * 100).toFixed(0)} % of a core, ${((cpuS * 1e6) / granted).toFixed(0)} µs a lease`,
  );
  console.log(`heads read of the store ${Math.round(heads / tookS)}/s`);
} finally {
  await server.stop();
  await postgres.stop('immediate');
  await rm(dataDir, { recursive: true, force: true });
}

async function headReads(url: string): Promise<number> {
  const text = await (await fetch(`${url}/metrics`)).text();
  const line = text
    .split('\n')
    .find((one) => one.startsWith('keyswarm_store_statements_total{') && one.includes('"read_heads"'));
  return line === undefined ? Number.NaN : Number(line.slice(line.lastIndexOf(' ') + 1));
}

function countOf(name: string, text: string | undefined): number {
  const count = Number(text);
  if (Number.isSafeInteger(count) && count >= 1) return count;
  console.error(`--${name}: expected a whole number from 1, got ${text}`);
  process.exit(2);
}

async function sleep(ms: number): Promise<void> {
  await new Promise((resolve) => setTimeout(resolve, ms));
}
