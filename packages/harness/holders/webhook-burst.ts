import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import { type Api, inParallel, issuedOf, resultsOf } from '../acceptance/api.ts';
import { freePort } from '../acceptance/server-process.ts';
import { expectStatus } from '../acceptance/walk.ts';
import { type House, keyspaceName, untilTaken } from './house.ts';

const changesOfEach = ['suspend', 'resume', 'suspend', 'resume'] as const;
const bulkKeys = 1000;
const withinMs = 600_000;

/**
 * The consumer of a webhook is down for the whole of a burst of events, then back: every event is delivered, those of
 * each key in their order.
 */
export async function webhookBurst({ api }: House, events: number): Promise<string> {
  const port = await freePort();
  const made = await api.call('POST', '/v1/webhooks', {
    url: `http://127.0.0.1:${port}/events`,
    types: ['key.issued', 'key.suspended', 'key.resumed'],
    keyspace: keyspaceName,
  });
  expectStatus(made.status, 201, made.body);
  const began = performance.now();
  const expected = await burst(api, Math.ceil(events / (changesOfEach.length + 1)));
  const burstMs = performance.now() - began;
  const consumer = new Consumer();
  await consumer.listen(port);
  await consumer.until(expected, withinMs);
  await consumer.close();
  const { body } = await api.call('GET', '/v1/dead-letters');
  const dead = Array.isArray(body.items) ? body.items.length : 0;
  if (dead > 0) throw new Error(`${dead} dead letters`);
  const perSecond = Math.round(expected.size / (consumer.drainMs / 1000));
  return (
    `${expected.size} keys with ${expected.size * (changesOfEach.length + 1)} events in ${Math.round(burstMs / 1000)} s while the consumer was down; ` +
    `all delivered in order within ${(consumer.drainMs / 1000).toFixed(1)} s of the first, ${perSecond * (changesOfEach.length + 1)} events/s, ${consumer.again} twice`
  );
}

/** The ids of the keys, each of which was issued and then changed so often. */
async function burst(api: Api, keys: number): Promise<ReadonlySet<string>> {
  const ids: string[] = [];
  const chunks = Array.from({ length: Math.ceil(keys / bulkKeys) }, (_, at) => at * bulkKeys);
  await inParallel(chunks, 4, async (from) => {
    const wanted = Array.from({ length: Math.min(bulkKeys, keys - from) }, (_, at) => ({
      keyspace: keyspaceName,
      owner: { kind: 'service', external_id: `burst-${(from + at) % 500}` },
      name: `burst ${from + at}`,
      scopes: ['orders:read'],
      ttl_seconds: 86_400,
    }));
    const reply = await untilTaken(() => api.call('POST', '/v1/keys/bulk', { keys: wanted }));
    for (const result of resultsOf(reply)) ids.push(issuedOf(result).id);
  });
  await inParallel(ids, 64, async (id) => {
    for (const change of changesOfEach) {
      const reply = await untilTaken(() => api.call('POST', `/v1/keys/${id}/${change}`, {}));
      expectStatus(reply.status, 200, reply.body);
    }
  });
  return new Set(ids);
}

interface Delivered {
  readonly id: string;
  readonly subject: string;
}

/** Notes the place of each event that it is sent, and holds the events of a key to their order. */
class Consumer {
  readonly #server: Server;
  readonly #placesOf = new Map<string, number[]>();
  readonly #seen = new Set<string>();
  readonly #wrong: string[] = [];
  again = 0;
  #firstMs = 0;
  #lastMs = 0;

  constructor() {
    this.#server = createServer((request, response) => {
      const chunks: Buffer[] = [];
      request.on('data', (chunk: Buffer) => chunks.push(chunk));
      request.on('end', () => {
        this.#take(JSON.parse(Buffer.concat(chunks).toString()) as Delivered);
        response.writeHead(204).end();
      });
    });
  }

  get drainMs(): number {
    return this.#lastMs - this.#firstMs;
  }

  async listen(port: number): Promise<void> {
    this.#server.listen(port, '127.0.0.1');
    await once(this.#server, 'listening');
  }

  async close(): Promise<void> {
    this.#server.closeAllConnections();
    this.#server.close();
    await once(this.#server, 'close');
  }

  /** Resolves when each of these keys has had all of its events. */
  async until(keys: ReadonlySet<string>, timeoutMs: number): Promise<void> {
    const wanted = keys.size * (changesOfEach.length + 1);
    const deadline = performance.now() + timeoutMs;
    for (;;) {
      const delivered = [...keys].reduce((sum, id) => sum + (this.#placesOf.get(id)?.length ?? 0), 0);
      if (this.#wrong.length > 0) throw new Error(`out of order: ${this.#wrong.slice(0, 3).join('; ')}`);
      if (delivered === wanted) return;
      if (performance.now() > deadline) throw new Error(`${delivered} of ${wanted} events were delivered`);
      await new Promise((resolve) => setTimeout(resolve, 500));
    }
  }

  #take({ id, subject }: Delivered): void {
    this.#lastMs = performance.now();
    this.#firstMs ||= this.#lastMs;
    if (this.#seen.has(id)) {
      this.again += 1;
      return;
    }
    this.#seen.add(id);
    const place = Number(id.split('-').at(-1));
    const places = this.#placesOf.get(subject) ?? [];
    if (place <= (places.at(-1) ?? 0)) this.#wrong.push(`${subject} got ${place} after ${places.at(-1)}`);
    places.push(place);
    this.#placesOf.set(subject, places);
  }
}
