import { randomBytes } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { mintKeyString } from '@keyswarm/core';
import { type Api, apiOf, inParallel, type Reply } from '../acceptance/api.ts';
import { type ServerProcess, startServerProcess } from '../acceptance/server-process.ts';
import { startPostgres } from '../postgres/index.ts';

/*
 * npm run prove:webhooks -- [--events 50000] [--embedded | --kill]
 *
 * A consumer that is down for the whole of a burst and then comes back: every event is delivered, those of one key in
 * order. With --kill the server that is at it is killed midway, and another goes on once its claims have run out. Says
 * how fast it drains. Ends with 1 where an event is missing or out of order.
 */

const { values } = parseArgs({
  options: {
    events: { type: 'string', default: '50000' },
    embedded: { type: 'boolean', default: false },
    kill: { type: 'boolean', default: false },
  },
});
/** A burst is keys that are issued and revoked: two events a key. */
const keys = Math.ceil(Number(values.events) / 2);
const call = async (api: Api, path: string, body: unknown): Promise<Reply> => {
  const reply = await api.call('POST', path, body);
  if (reply.status >= 300)
    throw new Error(`${path}: ${reply.status} ${JSON.stringify(reply.body).slice(0, 300)}`);
  return reply;
};
const report = (phase: string, found: string): void => console.log(`${phase.padEnd(24)} ${found}`);

class Consumer {
  isDown = true;
  refused = 0;
  deliveries = 0;
  readonly seen = new Set<string>();
  readonly lastOf = new Map<string, number>();
  outOfOrder = 0;
  readonly server = createServer((request, response) => {
    const chunks: Uint8Array[] = [];
    request.on('data', (chunk: Uint8Array) => chunks.push(chunk));
    request.on('end', () => {
      if (this.isDown) this.refused += 1;
      else this.#take(JSON.parse(Buffer.concat(chunks).toString()) as { id: string; subject: string });
      response.writeHead(this.isDown ? 503 : 204).end();
    });
  });

  #take({ id, subject }: { readonly id: string; readonly subject: string }): void {
    this.deliveries += 1;
    if (this.seen.has(id)) return;
    this.seen.add(id);
    const seq = Number(id.split('-')[2]);
    if (seq < (this.lastOf.get(subject) ?? 0)) this.outOfOrder += 1;
    this.lastOf.set(subject, seq);
  }
}

const consumer = new Consumer();
await new Promise<void>((done) => consumer.server.listen(0, '127.0.0.1', done));
const dataDir = await mkdtemp(join(tmpdir(), 'keyswarm-webhooks-'));
const postgres = values.embedded ? undefined : await startPostgres({ own: true });
const managementKey = mintKeyString('keyswarm', randomBytes);
const servers: ServerProcess[] = [];
const start = async (): Promise<ServerProcess> => {
  const server = await startServerProcess({
    dataDir,
    bootstrapKey: managementKey,
    masterKey,
    env: { KEYSWARM_WEBHOOK_HTTP: 'true', KEYSWARM_WEBHOOK_ALLOW: '127.0.0.1' },
    ...(databaseUrl === undefined ? {} : { databaseUrl }),
  });
  servers.push(server);
  return server;
};
const masterKey = randomBytes(32).toString('base64');
const databaseUrl = await postgres?.createDatabase('webhooks');
try {
  const first = await start();
  const api = apiOf(first, managementKey);
  await call(api, '/v1/keyspaces', { name: 'orders', prefix: 'orders', allowed_scopes: ['*'] });
  const { port } = consumer.server.address() as AddressInfo;
  const url = `http://127.0.0.1:${port}/`;
  await call(api, '/v1/webhooks', { url, types: ['key.issued', 'key.revoked'] });
  const began = performance.now();
  const ids: string[] = [];
  const owner = { kind: 'service', external_id: 'burst' };
  const bulks = Array.from({ length: Math.ceil(keys / 500) }, (_, at) => Math.min(500, keys - at * 500));
  await inParallel(bulks, 8, async (count) => {
    const one = { keyspace: 'orders', owner, scopes: ['orders:read'] };
    const reply = await call(api, '/v1/keys/bulk', { keys: Array.from({ length: count }, () => one) });
    for (const { id } of reply.body.results as { id: string }[]) ids.push(id);
  });
  await inParallel(ids, 64, async (id) => {
    await call(api, `/v1/keys/${id}/revoke`, { reason: 'burst' });
  });
  const seconds = (performance.now() - began) / 1000;
  report(
    'burst',
    `${keys * 2} events in ${seconds.toFixed(1)} s, consumer down, ${consumer.refused} refusals`,
  );
  const second = values.kill ? await start() : undefined;
  consumer.isDown = false;
  const backMs = performance.now();
  let firstMs: number | undefined;
  let killed = second === undefined;
  while (consumer.seen.size < keys * 2) {
    if (consumer.seen.size > 0) firstMs ??= performance.now();
    if (!killed && consumer.seen.size > keys) {
      killed = true;
      await first.kill();
      report('one server killed', `after ${consumer.seen.size} events`);
    }
    if (performance.now() - backMs > 300_000) break;
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  const doneMs = performance.now();
  const drain = (doneMs - (firstMs ?? backMs)) / 1000;
  report('waited for the retry', `${(((firstMs ?? backMs) - backMs) / 1000).toFixed(1)} s`);
  report(
    'drained',
    `${consumer.seen.size} events in ${drain.toFixed(1)} s: ${Math.round(consumer.seen.size / drain)}/s`,
  );
  report('delivered again', String(consumer.deliveries - consumer.seen.size));
  report('out of order', String(consumer.outOfOrder));
  if (consumer.seen.size < keys * 2 || consumer.outOfOrder > 0) process.exitCode = 1;
} finally {
  for (const server of servers) await server.kill();
  await postgres?.stop();
  consumer.server.closeAllConnections();
  consumer.server.close();
  await rm(dataDir, { recursive: true, force: true });
}
