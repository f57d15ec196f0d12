import { closeSync, openSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { inParallel } from '../acceptance/api.ts';
import type { Cluster } from './cluster.ts';
import { bulkCallsMax, bulkKeys } from './limits.ts';

/** What keys are made in. */
export const populatedKeyspace = 'orders';

/** A keyspace with so many keys. What was issued is written to a file that only its owner reads, one key a line. */
export async function populateKeys(
  cluster: Cluster,
  count: number,
  { say, signal }: { readonly say: (line: string) => void; readonly signal?: AbortSignal },
): Promise<void> {
  const body = { name: populatedKeyspace, prefix: 'orders', allowed_scopes: ['orders:*'] };
  await cluster.call('POST', '/v1/keyspaces', { body });
  const file = openSync(join(cluster.dir, 'keys.ndjson'), 'w', 0o600);
  const chunks = Array.from({ length: Math.ceil(count / bulkKeys) }, (_, at) => at * bulkKeys);
  say(`${count} × key`);
  try {
    await inParallel(chunks, bulkCallsMax, async (from) => {
      signal?.throwIfAborted();
      const keys = Array.from({ length: Math.min(bulkKeys, count - from) }, (_, at) => ({
        keyspace: populatedKeyspace,
        owner: { kind: 'service', external_id: `service-${(from + at) % 1000}` },
        scopes: ['orders:read'],
        ttl_seconds: 86_400,
      }));
      const reply = await cluster.call('POST', '/v1/keys/bulk', { body: { keys } });
      const issued = reply.body.results as readonly { readonly id?: string; readonly secret?: string }[];
      const refused = issued.find(({ secret }) => secret === undefined);
      if (refused !== undefined) throw new Error(`a key was not issued: ${JSON.stringify(refused)}`);
      writeSync(file, issued.map(({ id, secret }) => `${JSON.stringify({ id, secret })}\n`).join(''));
    });
  } finally {
    closeSync(file);
  }
}
