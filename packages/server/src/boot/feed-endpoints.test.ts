import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { createPgliteStore } from '../storage/pglite/pglite-store.ts';
import type { Store } from '../storage/store.ts';
import { freshName, issue, makeKeyspace, manager } from './suite/fixtures.ts';
import { shareStore } from './suite/share-store.ts';
import { startTestServer, type TestServer } from './suite/test-server.ts';

/* The feed over HTTP as a stranger meets it: with the wrong key, for what is not theirs, and past its bounds. */

let store: Store;
let server: TestServer;
let reader: string;
beforeAll(async () => {
  store = await createPgliteStore();
  server = await startTestServer({ store: shareStore(store) });
  reader = await manager(server, ['feed:read']);
}, 30_000);
afterAll(async () => {
  await server.close();
  await store.close();
});

const ask = (more: object = {}) => ({
  verifier: { id: 'test-one', name: 'test', kind: 'library' },
  applied: null,
  lease_age_ms: null,
  ...more,
});
const rowsPath = (query: Record<string, string | number>) => {
  const text = Object.entries(query).map(([name, value]) => `${name}=${value}`);
  return `/v1/feed/rows?${text.join('&')}`;
};
const heads = async (): Promise<{ epoch: number; seqs: number[] }> =>
  (await server.post('/v1/feed/lease', ask(), { key: reader })).body as never;
const streamPath = async () => {
  const { epoch, seqs } = await heads();
  return `/v1/feed/stream?epoch=${epoch}&after=${seqs.join(',')}`;
};

/** Opens a stream, and keeps what came of it. Most frames are JSON, and none is compressed. */
async function openStream(key: string, path: string) {
  const controller = new AbortController();
  const response = await fetch(server.url + path, {
    headers: { authorization: `Bearer ${key}` },
    signal: controller.signal,
  });
  expect(response.status).toBe(200);
  const body = response.body?.getReader();
  let heard = '';
  return {
    close: () => controller.abort(),
    heard: () => heard,
    /** Reads until this has come; false: the stream has ended. */
    async until(text: string): Promise<boolean> {
      while (!heard.includes(text)) {
        const { done, value } = (await body?.read()) ?? { done: true, value: undefined };
        if (done || value === undefined) return false;
        heard += Buffer.from(value).toString('latin1');
      }
      return true;
    },
  };
}

describe('who may read the feed', () => {
  const paths = [
    '/v1/feed/snapshot',
    '/v1/feed/stream?epoch=1&after=0,0,0,0',
    rowsPath({ epoch: 1, shard: 0, after: 0, up_to: 1 }),
  ];

  test.each([...paths, '/v1/verifiers'])(
    'nobody without a key, or with one that is not valid: %s',
    async (path) => {
      for (const key of [null, 'keyswarm_nonsense']) {
        expect((await server.get(path, { key })).body.code).toBe('unauthenticated');
      }
    },
  );

  test.each([...paths, '/v1/verifiers'])('nobody whose key has other scopes: %s', async (path) => {
    const other = await manager(server, ['keys:read', 'keys:verify']);
    expect((await server.get(path, { key: other })).body).toMatchObject({ status: 403, code: 'forbidden' });
  });

  test('a lease is asked for under the same rules, by the lane and by the framework', async () => {
    const other = await manager(server, ['keys:verify']);
    for (const headers of [{}, { 'content-type': 'application/json; charset=utf-8' }]) {
      const codeOf = async (key: string | null, body: unknown = ask()) => {
        const reply = await server.call('POST', '/v1/feed/lease', { key, body, headers });
        return reply.status === 200 ? 200 : reply.body.code;
      };
      expect(await codeOf(null)).toBe('unauthenticated');
      expect(await codeOf(other)).toBe('forbidden');
      expect(await codeOf(reader, ask({ surprise: 1 }))).toBe('unknown_field');
      expect(await codeOf(reader, ask({ applied: { epoch: -1, seqs: [] } }))).toBe('invalid_field');
      expect(await codeOf(reader, '{')).toBe('invalid_json');
      expect(await codeOf(reader)).toBe(200);
    }
  });
});

describe('what of the feed a key may read', () => {
  test('nothing of another workspace, by any way', async () => {
    const canary = freshName('canary');
    const created = await server.post('/v1/workspaces', { name: freshName('tenant') });
    const { secret } = created.body.management_key as { secret: string };
    const theirs = await makeKeyspace(server, { allowed_scopes: [`${canary}:*`] }, { key: secret });
    const stream = await openStream(reader, await streamPath());
    const owner = { kind: 'service', external_id: canary };
    await issue(server, theirs.name, { owner, scopes: [`${canary}:read`] }, { key: secret });
    const { name } = await makeKeyspace(server);
    const { id } = await issue(server, name);
    expect(await stream.until(id)).toBe(true);
    stream.close();
    const { epoch, seqs } = await heads();
    let all = stream.heard() + (await server.get('/v1/feed/snapshot', { key: reader })).text;
    for (const [shard, seq] of seqs.entries()) {
      if (seq === 0) continue;
      const reply = await server.get(rowsPath({ epoch, shard, after: 0, up_to: seq }), { key: reader });
      expect(reply.status).toBe(200);
      all += reply.text;
    }
    expect(all).toContain(name);
    expect(all).not.toContain(canary);
    expect(all).not.toContain(theirs.name);
    expect((await server.get(`/v1/feed/snapshot?keyspaces=${theirs.name}`, { key: reader })).status).toBe(
      404,
    );
  });

  test('the built-in keyspace only by name or wildcard, and of the others those that are named', async () => {
    const { name: mine } = await makeKeyspace(server);
    const { name: other } = await makeKeyspace(server);
    const snapshotOf = async (scopes: readonly string[], query = '') =>
      (await server.get(`/v1/feed/snapshot${query}`, { key: await manager(server, scopes) })).text;
    expect(await snapshotOf(['feed:read'])).not.toContain('"keyswarm"');
    for (const scopes of [['feed:read:*'], ['feed:read', 'feed:read:keyswarm'], ['*']]) {
      const text = await snapshotOf(scopes);
      expect(text).toContain('keyswarm');
      expect(text).toContain(mine);
    }
    for (const text of [
      await snapshotOf([`feed:read:${mine}`]),
      await snapshotOf(['feed:read'], `?keyspaces=${mine}`),
    ]) {
      expect(text).toContain(mine);
      expect(text).not.toContain(other);
    }
    const narrow = await manager(server, [`feed:read:${mine}`]);
    expect((await server.get(`/v1/feed/snapshot?keyspaces=${other}`, { key: narrow })).status).toBe(404);
  });
});

describe('a stream', () => {
  test('brings a change as it commits, and ends when its key is revoked', async () => {
    const { id, secret } = await issue(server, 'keyswarm', { scopes: ['feed:read'] });
    const stream = await openStream(secret, await streamPath());
    expect(await stream.until('"seqs"')).toBe(true);
    const { name } = await makeKeyspace(server);
    expect(await stream.until(name)).toBe(true);
    await server.post(`/v1/keys/${id}/revoke`);
    expect(await stream.until('what never comes')).toBe(false);
  });

  test('of another epoch, or from before what is kept, is gone', async () => {
    const { epoch, seqs } = await heads();
    const path = (from: number, after: readonly number[]) =>
      `/v1/feed/stream?epoch=${from}&after=${after.join(',')}`;
    for (const gone of [path(epoch + 1, seqs), path(epoch, [0])]) {
      expect((await server.get(gone, { key: reader })).body).toMatchObject({ status: 410, code: 'gone' });
    }
  });

  test('is ended by a server that goes down, which does not wait for it', async () => {
    const passing = await startTestServer({
      store: shareStore(store),
      config: { bootstrapKey: server.rootKey },
    });
    const { epoch, seqs } = await heads();
    const response = await fetch(`${passing.url}/v1/feed/stream?epoch=${epoch}&after=${seqs.join(',')}`, {
      headers: { authorization: `Bearer ${reader}` },
    });
    const ended = response.text();
    await passing.close();
    await ended;
  });
});

describe('rows', () => {
  test.each([
    [{ shard: 999 }, 'shard'],
    [{ up_to: 0 }, 'up_to'],
    [{ limit: 1001 }, 'limit'],
    [{ after: '-1' }, 'after'],
  ])('that can not be are refused: %j', async (wrong, field) => {
    const query = { epoch: 1, shard: 0, after: 0, up_to: 1, ...wrong };
    expect((await server.get(rowsPath(query), { key: reader })).body).toMatchObject({ status: 400, field });
  });

  test('of another epoch are gone', async () => {
    const query = { epoch: 77, shard: 0, after: 0, up_to: 1 };
    expect((await server.get(rowsPath(query), { key: reader })).body).toMatchObject({
      status: 410,
      code: 'gone',
    });
  });

  test('one that can not be read says which, and nothing of what stands in it', async () => {
    const { epoch, seqs } = await heads();
    const shard = seqs.findIndex((seq) => seq > 0);
    const spoil = {
      name: '',
      text: `update feed set body = '{"v":1,"note":"inside"}' where shard = ${shard} and seq = 1`,
    };
    await store.transaction((tx) => tx.query(spoil));
    // It holds nothing from before its start in memory, so that it has to read the store.
    const fresh = await startTestServer({
      store: shareStore(store),
      config: { bootstrapKey: server.rootKey },
    });
    const reply = await fresh.get(rowsPath({ epoch, shard, after: 0, up_to: 1 }), { key: reader });
    expect(reply.body).toMatchObject({ status: 422, code: 'bad_feed_row', shard, seq: 1 });
    expect(reply.text).not.toContain('inside');
    await fresh.close();
  });
});

test('a flood of forged keys asks the store nothing', async () => {
  const flood = 200;
  // What the house does by itself meanwhile (jobs, campaigns) is a handful; a look at each key would be two hundred.
  const byItself = 50;
  const counts = async () => {
    const lines = (await server.get('/metrics')).text.split('\n');
    const statements = lines.filter((line) => line.startsWith('keyswarm_store_statements_total{'));
    const own = /"(?:read_heads|write_registry|other)"/;
    const told = statements.filter((line) => !own.test(line)).map((line) => line.split(' '));
    return new Map(told.map(([name = '', count]) => [name, Number(count)]));
  };
  await server.post('/v1/keys/verify', { key: 'x' });
  const before = await counts();
  const forged = (at: number) => (at % 2 === 0 ? `orders_${'a'.repeat(40)}${at}` : `nonsense ${at}`);
  const replies = await Promise.all(
    Array.from({ length: flood }, (_, at) => server.post('/v1/keys/verify', { key: forged(at) })),
  );
  expect(replies.every(({ body }) => body.valid === false)).toBe(true);
  for (const [name, count] of await counts()) {
    expect(count - (before.get(name) ?? 0), name).toBeLessThan(byItself);
  }
});
