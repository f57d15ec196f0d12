import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import type { IssuedKey } from '../acceptance/api.ts';
import { startNatsCluster } from '../nats/index.ts';
import { noWallClocks, wallClock } from '../processes/wall-clock.ts';
import { brokerPhases } from './broker-phases.ts';
import { type Cluster, defaultKeyspace, populate, startCluster, strictKeyspace } from './cluster.ts';
import { flood } from './flood.ts';
import { freshIssues } from './fresh-issues.ts';
import { databaseGone, faultsOf, healthy, type Phases, underFault, waitEffective } from './phases.ts';
import { seeded } from './seeded.ts';

/*
 * npm run prove:bound -- [--keys 1000000] [--revocations 2000] [--nodes 4] [--per-second 20] [--seed N] [--nats] [--short]
 *
 * One server on PostgreSQL, verify-only nodes, an open load on each, revocations under way; then the same with one
 * node cut off, frozen, or with its wall clock set, and with the database gone. With --nats the feed goes by a cluster of
 * three brokers, and it is those that are killed. Ends with 1 at the first broken promise.
 */

const { values } = parseArgs({
  options: {
    keys: { type: 'string', default: '1000000' },
    revocations: { type: 'string', default: '2000' },
    nodes: { type: 'string', default: '4' },
    'per-second': { type: 'string', default: '20' },
    seed: { type: 'string', default: '1' },
    nats: { type: 'boolean', default: false },
    short: { type: 'boolean', default: false },
  },
});
const numberOf = (name: 'keys' | 'revocations' | 'nodes' | 'per-second' | 'seed', min: number): number => {
  const count = Number(values[name]);
  if (Number.isSafeInteger(count) && count >= min) return count;
  console.error(`--${name}: expected a whole number of at least ${min}, got ${values[name]}`);
  process.exit(2);
};
const options = {
  keys: numberOf('keys', 1000),
  revocations: numberOf('revocations', 1),
  nodes: numberOf('nodes', 3),
  perSecond: numberOf('per-second', 1),
  seed: numberOf('seed', 1),
};
const report = (phase: string, found: string): void => console.log(`${phase.padEnd(24)} ${found}`);
const missing = noWallClocks();
const wallFile =
  missing === undefined ? join(mkdtempSync(join(tmpdir(), 'keyswarm-wall-')), 'offset') : undefined;
if (wallFile === undefined) report('skipped', `wall clock steps: ${missing}`);
else writeFileSync(wallFile, '+0s');

const nats = values.nats ? await startNatsCluster() : undefined;
const cluster = await startCluster({
  nodes: options.nodes,
  ...(nats === undefined
    ? {}
    : { env: { KEYSWARM_NATS_SERVERS: nats.urls.join(','), KEYSWARM_NATS_REPLICAS: '3' } }),
  nodeEnv: (node) => (node === 2 && wallFile !== undefined ? wallClock({ offsetFile: wallFile }) : {}),
});
try {
  await prove(cluster);
} catch (error) {
  console.error(`BROKEN  ${String(error)}`);
  process.exitCode = 1;
} finally {
  await cluster.stop();
  await nats?.stop();
}

async function prove(cluster: Cluster): Promise<void> {
  const strictCount = 3000;
  const began = performance.now();
  const kept = options.revocations + 500 + 1000;
  const orders = await populate(cluster.api, defaultKeyspace.name, { count: options.keys, keep: kept });
  const strict = await populate(cluster.api, strictKeyspace.name, { count: strictCount, keep: strictCount });
  report('population', `${options.keys + strictCount} keys in ${Math.round(performance.now() - began)} ms`);
  await cluster.startNodes();
  for (const node of cluster.nodes) {
    const bytes = await node.metric('keyswarm_resident_table_bytes');
    const versions = await node.metric('keyswarm_resident_versions');
    report(
      `${node.name} cold start`,
      `ready in ${Math.round(node.readyMs)} ms, ${(bytes / versions).toFixed(1)} bytes a version`,
    );
  }
  const phases = phasesOf(cluster, orders, strict);
  await healthy(phases, options.revocations);
  await waitEffective(phases, values.short ? 20 : 200);
  if (nats !== undefined) {
    await brokerPhases(phases, nats);
    return;
  }
  for (const fault of faultsOf(cluster, (node) => (node === 2 ? wallFile : undefined))) {
    await underFault(phases, fault);
  }
  await freshIssues(phases, values.short ? 200 : 1000);
  await flood(phases);
  if (values.short) return;
  await databaseGone(phases, 20_000);
  await databaseGone(phases, 40_000);
}

function phasesOf(cluster: Cluster, orders: readonly IssuedKey[], strict: readonly IssuedKey[]): Phases {
  const steadyCount = 500;
  const left = new Map([
    [defaultKeyspace.name, orders.slice(steadyCount)],
    [strictKeyspace.name, strict.slice(steadyCount)],
  ]);
  return {
    cluster,
    steady: orders.slice(0, steadyCount).map(({ secret }) => secret),
    strictSteady: strict.slice(0, steadyCount).map(({ secret }) => secret),
    take(keyspace, count) {
      const keys = left.get(keyspace) ?? [];
      if (keys.length < count)
        throw new Error(`${keyspace} has ${keys.length} keys left, ${count} are needed`);
      left.set(keyspace, keys.slice(count));
      return keys.slice(0, count);
    },
    perSecond: options.perSecond,
    random: seeded(options.seed),
    report,
  };
}
