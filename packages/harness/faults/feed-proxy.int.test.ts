import { once } from 'node:events';
import { createServer, get, type IncomingMessage, type ServerResponse } from 'node:http';
import { afterEach, describe, expect, it } from 'vitest';
import { seeded } from '../bound/seeded.ts';
import { type FeedProxy, startFeedProxy } from './feed-proxy.ts';
import { splitFrames } from './raw-frames.ts';

const types = { hello: 1, stretch: 3, heartbeat: 4 } as const;
const opened: { close(): unknown }[] = [];

afterEach(async () => {
  for (const thing of opened.splice(0).reverse()) await thing.close();
});

/** As a relay writes it; the checksum is nobody's business here. */
function frame(type: number, text: string): Buffer {
  const payload = Buffer.from(text);
  const bytes = Buffer.alloc(9 + payload.length);
  bytes.writeUInt32BE(payload.length, 0);
  bytes.writeUInt8(type, 4);
  payload.copy(bytes, 9);
  return bytes;
}

/** A relay that says hello and then what it is told to, behind one that misbehaves. */
async function relayBehindProxy() {
  const streams: ServerResponse[] = [];
  const server = createServer((asked, reply) => {
    if (!asked.url?.startsWith('/v1/feed/stream')) {
      reply.end(`${asked.method} ${asked.url}`);
      return;
    }
    reply.writeHead(200, { 'content-type': 'application/vnd.keyswarm.feed' });
    reply.write(frame(types.hello, 'hello'));
    streams.push(reply);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('no port');
  const proxy = await startFeedProxy({ port: address.port, random: seeded(7) });
  const close = (): void => {
    server.closeAllConnections();
    server.close();
  };
  opened.push({ close }, proxy);
  const push = (...texts: readonly string[]): void => {
    for (const text of texts)
      streams.at(-1)?.write(frame(text === '♥' ? types.heartbeat : types.stretch, text));
  };
  return { proxy, push };
}

async function follow(proxy: FeedProxy): Promise<string[]> {
  const heard: string[] = [];
  const split = splitFrames();
  const asked = get(`${proxy.url}/v1/feed/stream`, { agent: false });
  const [reply] = (await once(asked, 'response')) as [IncomingMessage];
  reply.on('error', () => {});
  reply.on('data', (chunk: Buffer) => {
    for (const bytes of split(chunk)) heard.push(bytes.subarray(9).toString());
  });
  opened.push({ close: () => reply.destroy() });
  await expect.poll(() => heard).toEqual(['hello']);
  return heard;
}

describe('a relay that misbehaves', () => {
  it('withholds rows and lets heartbeats pass, and what came meanwhile never comes', async () => {
    const { proxy, push } = await relayBehindProxy();
    const heard = await follow(proxy);
    push('1');
    await expect.poll(() => heard).toEqual(['hello', '1']);
    proxy.set({ stream: 'withhold' });
    push('2', '♥');
    await expect.poll(() => heard).toEqual(['hello', '1', '♥']);
    proxy.heal();
    push('3');
    await expect.poll(() => heard).toEqual(['hello', '1', '♥', '3']);
    expect(proxy.counts.withheld).toBe(1);
  });

  it('sends rows again and in another order, each one whole', async () => {
    const { proxy, push } = await relayBehindProxy();
    const heard = await follow(proxy);
    proxy.set({ duplicates: 1, reorderWindow: 6 });
    const sent = ['1', '2', '3', '4', '5', '6'];
    push(...sent);
    await expect.poll(() => heard.length).toBe(13);
    const rows = heard.slice(1).filter((_, at) => at % 2 === 0);
    expect(rows).not.toEqual(sent);
    expect(rows.toSorted()).toEqual(sent);
    expect(heard.slice(1).toSorted()).toEqual(sent.flatMap((row) => [row, row]));
    expect(proxy.counts.duplicated).toBe(6);
    expect(proxy.counts.reordered).toBeGreaterThan(0);
  });

  it('leaves who asks for missed rows without an answer, and passes every other call as it is', async () => {
    const { proxy } = await relayBehindProxy();
    proxy.set({ rows: 'hold' });
    const rows = fetch(`${proxy.url}/v1/feed/rows?shard=1`);
    await expect.poll(() => proxy.counts.rowReadsHeld).toBe(1);
    const lease = await fetch(`${proxy.url}/v1/feed/lease`, { method: 'POST', body: '{}' });
    expect(await lease.text()).toBe('POST /v1/feed/lease');
    proxy.heal();
    await expect(rows).rejects.toThrow();
    expect(await (await fetch(`${proxy.url}/v1/feed/rows?shard=1`)).text()).toBe('GET /v1/feed/rows?shard=1');
  });
});
