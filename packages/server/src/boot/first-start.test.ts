import { once } from 'node:events';
import { type AddressInfo, createServer } from 'node:net';
import type { Secret } from '@keyswarm/core';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { ConfigError } from '../config/config-error.ts';
import type { ServerConfig } from '../config/config-schema.ts';
import { configWith } from '../config/load-config.ts';
import { createLog } from '../logging/log.ts';
import { systemRandom } from '../runtime/random.ts';
import { createPgliteStore } from '../storage/pglite/pglite-store.ts';
import type { Store } from '../storage/store.ts';
import { mintBootstrapKey } from '../workspaces/bootstrap.ts';
import { type RunningServer, startServer } from './start-server.ts';
import { shareStore } from './suite/share-store.ts';

/* The way in: who starts a new store gets one key, once; who brought a key gets that one. */

const log = createLog('silent');
const masterKey = Buffer.alloc(32, 7).toString('base64');
let store: Store;
const servers: RunningServer[] = [];

beforeAll(async () => {
  store = await createPgliteStore();
}, 30_000);
afterAll(() => store.close());
afterEach(async () => {
  await closeAll();
  await store.query({ name: '', text: 'drop schema public cascade' });
  await store.query({ name: '', text: 'create schema public' });
});

async function closeAll(): Promise<void> {
  for (const server of servers.splice(0)) await server.close();
}

async function start(
  overrides: Partial<ServerConfig> = {},
): Promise<{ url: string; shown: readonly string[] }> {
  const shown: string[] = [];
  const showFirstKey = (secret: Secret) => void shown.push(secret.reveal());
  const config = configWith({ port: 0, masterKey, ...overrides });
  const server = await startServer(config, { log, store: shareStore(store), showFirstKey });
  servers.push(server);
  return { url: server.url, shown };
}

async function statusWith(url: string, key: string): Promise<number> {
  const reply = await fetch(`${url}/v1/keyspaces`, { headers: { authorization: `Bearer ${key}` } });
  await reply.arrayBuffer();
  return reply.status;
}

describe('the first management key', () => {
  test('is shown at the first start only, and works ever after', async () => {
    const first = await start();
    expect(first.shown).toHaveLength(1);
    const key = String(first.shown[0]);
    expect(await statusWith(first.url, key)).toBe(200);
    await closeAll();
    const second = await start();
    expect(second.shown).toEqual([]);
    expect(await statusWith(second.url, key)).toBe(200);
  });

  test('is one, however many servers start at once', async () => {
    const cluster = { profile: 'single', databaseUrl: 'postgres://unused' } as const;
    const started = await Promise.all([start(cluster), start(cluster), start(cluster)]);
    const shown = started.flatMap((server) => server.shown);
    expect(shown).toHaveLength(1);
    for (const { url } of started) expect(await statusWith(url, String(shown[0]))).toBe(200);
  });

  test('is not shown by a start whose port is taken: the next one shows it', async () => {
    const squatter = createServer().listen(0, '127.0.0.1');
    await once(squatter, 'listening');
    const { port } = squatter.address() as AddressInfo;
    const shown: string[] = [];
    const showFirstKey = (secret: Secret) => void shown.push(secret.reveal());
    const config = configWith({ port, masterKey });
    const started = startServer(config, { log, store: shareStore(store), showFirstKey });
    await expect(started).rejects.toMatchObject({ code: 'EADDRINUSE' });
    expect(shown).toEqual([]);
    squatter.close();
    expect((await start()).shown).toHaveLength(1);
  });

  test('can be brought, is shown to nobody, and is installed once', async () => {
    const bootstrapKey = mintBootstrapKey(systemRandom).reveal();
    const cluster = { profile: 'single', databaseUrl: 'postgres://unused', bootstrapKey } as const;
    const started = await Promise.all([start(cluster), start(cluster)]);
    expect(started.flatMap((server) => server.shown)).toEqual([]);
    for (const { url } of started) expect(await statusWith(url, bootstrapKey)).toBe(200);
    const rows = await store.query({ name: '', text: 'select id from keys' });
    expect(rows).toHaveLength(1);
    const text = JSON.stringify(await store.query({ name: '', text: 'select * from feed' }));
    expect(text).not.toContain(bootstrapKey);
  });

  test('can be brought later, where the one that was shown is lost', async () => {
    await start();
    await closeAll();
    const bootstrapKey = mintBootstrapKey(systemRandom).reveal();
    const { url } = await start({ bootstrapKey });
    expect(await statusWith(url, bootstrapKey)).toBe(200);
  });

  test('stays revoked once it is, though the setting still names it', async () => {
    const bootstrapKey = mintBootstrapKey(systemRandom).reveal();
    const { url } = await start({ bootstrapKey });
    const headers = { authorization: `Bearer ${bootstrapKey}` };
    const listed = (await (await fetch(`${url}/v1/keys`, { headers })).json()) as { items: { id: string }[] };
    const id = listed.items[0]?.id;
    const revoked = await fetch(`${url}/v1/keys/${id}/revoke`, { method: 'POST', headers });
    expect(revoked.status).toBe(200);
    await closeAll();
    expect(await statusWith((await start({ bootstrapKey })).url, bootstrapKey)).toBe(401);
  });

  test.each(['x', `orders_${'a'.repeat(34)}`])(
    'that is not one stops the start: %s',
    async (bootstrapKey) => {
      await expect(start({ bootstrapKey })).rejects.toThrow(ConfigError);
    },
  );
});

test('a key is good at another server at once, and so is a management key', async () => {
  const bootstrapKey = mintBootstrapKey(systemRandom).reveal();
  const single = { profile: 'single', databaseUrl: 'postgres://unused', bootstrapKey } as const;
  const [one, other] = [await start(single), await start(single)];
  const post = async (url: string, key: string, path: string, body: object) => {
    const headers = { authorization: `Bearer ${key}`, 'content-type': 'application/json' };
    const reply = await fetch(url + path, { method: 'POST', headers, body: JSON.stringify(body) });
    return (await reply.json()) as Record<string, unknown>;
  };
  for (let round = 0; round < 10; round += 1) {
    const owner = { kind: 'service', external_id: `m${round}` };
    const terms = { keyspace: 'keyswarm', owner, scopes: ['*'] };
    const { secret } = await post(one.url, bootstrapKey, '/v1/keys', terms);
    const verdict = await post(other.url, String(secret), '/v1/keys/verify', { key: secret });
    expect(verdict).toMatchObject({ valid: true });
  }
});

test('a store keeps the shards it was made with', async () => {
  await start({ shards: 2 });
  await closeAll();
  const { url } = await start({ shards: 8 });
  expect((await fetch(`${url}/readyz`)).status).toBe(200);
});
