import { randomBytes } from 'node:crypto';
import { mintKeyString } from '@keyswarm/core';
import { inParallel } from '../acceptance/api.ts';
import { defaultKeyspace } from './cluster.ts';
import { metricOf } from './node-process.ts';
import type { Phases } from './phases.ts';
import { VerifyConnection } from './verify-connection.ts';

const forgedKeys = 20_000;
const connections = 64;

/**
 * Keys that were never issued, half of them with a good checksum, as fast as one node and the server take them.
 * What the store is asked meanwhile has to be what it is asked when nothing happens: the heads, at a bounded rate.
 */
export async function flood({ cluster, report }: Phases): Promise<void> {
  const [node] = cluster.nodes;
  if (node === undefined) throw new Error('there is no node');
  const before = await statementsOf(cluster.server.url);
  const began = performance.now();
  const codes: Record<string, number> = {};
  const server = { port: Number(new URL(cluster.server.url).port), managementKey: node.managementKey };
  const targets = [node, server];
  await inParallel(
    Array.from({ length: connections }, (_, at) => at),
    connections,
    async (at) => {
      const connection = new VerifyConnection(targets[at % targets.length] ?? node);
      for (let count = 0; count < forgedKeys / connections; count += 1) {
        const { code } = await connection.ask(forgedKey(count), defaultKeyspace.name);
        codes[code] = (codes[code] ?? 0) + 1;
      }
      connection.close();
    },
  );
  const seconds = (performance.now() - began) / 1000;
  const after = await statementsOf(cluster.server.url);
  const made = [...after].map(([name, count]) => [name, count - (before.get(name) ?? 0)] as const);
  const perKey = made.filter(([name, count]) => !housekeeping.has(name) && count > jobStatementsMax);
  if (perKey.length > 0) throw new Error(`forged keys made the store work: ${JSON.stringify(perKey)}`);
  const heads = made.find(([name]) => name === 'read_heads')?.[1] ?? 0;
  report(
    'flood of forged keys',
    `${JSON.stringify(codes)} in ${seconds.toFixed(1)} s; of the store ${heads} head reads (${Math.round(heads / seconds)}/s), and of keys nothing`,
  );
}

/**
 * What a server at rest asks its store as well: the heads and the registry of verifiers a few times a second, and
 * about once a second whether there are jobs or campaigns.
 */
const housekeeping: ReadonlySet<string> = new Set([
  'read_heads',
  'write_registry',
  'read_registry',
  'list_documents_by_state',
  'pgboss',
]);

/**
 * And what its jobs ask, each once a minute or less often: some statements of a kind and shard. Were a hundredth of the
 * forged keys looked up, it would be more.
 */
const jobStatementsMax = 150;

function forgedKey(count: number): string {
  const key = mintKeyString('orders', (bytes) => randomBytes(bytes));
  return count % 2 === 0 ? key : `${key.slice(0, -1)}${key.endsWith('0') ? '1' : '0'}`;
}

async function statementsOf(url: string): Promise<ReadonlyMap<string, number>> {
  const name = 'keyswarm_store_statements_total';
  const text = await (await fetch(`${url}/metrics`)).text();
  const found = new Map<string, number>();
  for (const line of text.split('\n')) {
    const statement = /\{[^}]*statement="([^"]+)"/.exec(line)?.[1];
    if (line.startsWith(`${name}{`) && statement !== undefined)
      found.set(statement, Number(line.slice(line.lastIndexOf(' ') + 1)));
  }
  if (found.size === 0 || Number.isNaN(await metricOf(url, name))) throw new Error(`there is no ${name}`);
  return found;
}
