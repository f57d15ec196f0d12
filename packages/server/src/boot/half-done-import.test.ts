import { createHash } from 'node:crypto';
import { Fault, shardOfHash } from '@keyswarm/core';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { createPgliteStore } from '../storage/pglite/pglite-store.ts';
import type { Queryable, Row, Statement, Store, TransactionOptions } from '../storage/store.ts';
import { freshName, issue, makeKeyspace, terms, verdictOf } from './suite/fixtures.ts';
import { startTestServer, type TestServer } from './suite/test-server.ts';

/* An import of which one part is written and another is not, over a store that fails in between. */

/** How many more replies are kept before the store is out of reach. */
let repliesLeft = Number.POSITIVE_INFINITY;
let server: TestServer;
beforeAll(async () => {
  server = await startTestServer({ store: failing(await createPgliteStore()) });
}, 30_000);
afterAll(() => server.close());

function failing(store: Store): Store {
  const watched = (tx: Queryable): Queryable => ({
    query<R extends object = Row>(statement: Statement, params?: readonly unknown[]) {
      if (statement.name === 'insert_idempotency') repliesLeft -= 1;
      if (repliesLeft < 0) throw new Fault('store_unavailable', { detail: 'Out of reach.' });
      return tx.query<R>(statement, params);
    },
  });
  return {
    query: (statement, params) => store.query(statement, params),
    transaction: <T>(work: (tx: Queryable) => Promise<T>, options?: TransactionOptions) =>
      store.transaction((tx) => work(watched(tx)), options),
    close: () => store.close(),
  };
}

/** A string whose hash stands in that shard. */
function stringIn(shard: number): string {
  for (;;) {
    const text = freshName('old');
    if (shardOfHash(createHash('sha256').update(text).digest(), 4) === shard) return text;
  }
}

test('the part that was not written is decided by the retry, by the rights of now; the other tells what it told', async () => {
  const [a, b] = [await makeKeyspace(server), await makeKeyspace(server)];
  const strings = [stringIn(0), stringIn(1), stringIn(1)] as const;
  const importing = [a, b, a].map(({ name }) => `keys:import:${name}`);
  const importer = await issue(server, 'keyswarm', { scopes: importing });
  const keys = [a, b, a].map(({ name }, at) => {
    const value = createHash('sha256')
      .update(strings[at] ?? '')
      .digest('hex');
    return terms(name, { hash: { format: 'sha256-hex', value } });
  });
  const send = () =>
    server.post(
      '/v1/keys/import',
      { keys },
      { key: importer.secret, headers: { 'idempotency-key': 'half-done' } },
    );

  // The plan, and one part.
  repliesLeft = 2;
  expect((await send()).status).toBe(503);
  repliesLeft = Number.POSITIVE_INFINITY;
  expect(await Promise.all(strings.map((text) => verdictOf(server, text)))).toEqual([
    'valid',
    'malformed',
    'malformed',
  ]);
  await server.call('PATCH', `/v1/keys/${importer.id}`, { body: { scopes: [`keys:import:${a.name}`] } });

  const retried = await send();
  expect(retried.body.results).toMatchObject([
    { keyspace_id: a.id },
    { error: { code: 'not_found' } },
    { keyspace_id: a.id },
  ]);
  const before = await server.changes();
  expect((await send()).text).toBe(retried.text);
  expect(await server.changes()).toBe(before);
  expect(await Promise.all(strings.map((text) => verdictOf(server, text)))).toEqual([
    'valid',
    'malformed',
    'valid',
  ]);
});
