import { Webhook as OfficialWebhook } from 'standardwebhooks';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { Consumer } from '../deliveries/testing/consumer.ts';
import { createPgliteStore } from '../storage/pglite/pglite-store.ts';
import type { Store } from '../storage/store.ts';
import { issue, makeKeyspace } from './suite/fixtures.ts';
import { startTestServer, type TestServer } from './suite/test-server.ts';

/* From a request to a consumer and back, over a whole server with its jobs. */

let store: Store;
let server: TestServer;
let consumer: Consumer;
beforeAll(async () => {
  store = await createPgliteStore();
  const config = { workflows: true, webhookHttp: true, webhookAllow: '127.0.0.1' };
  server = await startTestServer({ store, config });
  consumer = await Consumer.start();
}, 30_000);
afterAll(async () => {
  await server.close();
  await consumer.stop();
});

const namesOf = (event: { readonly headers: Readonly<Record<string, string>> }): readonly string[] =>
  (event.headers['webhook-signature'] ?? '').split(' ');

test('after a change of the secret both sign, and each verifies with the official library', async () => {
  const keyspace = await makeKeyspace(server);
  const made = await server.post('/v1/webhooks', {
    url: consumer.url,
    types: ['key.issued'],
    keyspace: keyspace.name,
  });
  const before = String(made.body.secret);
  await issue(server, keyspace.name);
  const [first] = await consumer.until(1);
  expect(first && namesOf(first)).toHaveLength(1);
  const path = `/v1/webhooks/${String(made.body.id)}`;
  const after = String((await server.post(`${path}/rotate-secret`, { overlap_seconds: 600 })).body.secret);
  const { id } = await issue(server, keyspace.name);
  // An event of another keyspace is none of its business.
  await issue(server, (await makeKeyspace(server)).name);
  await issue(server, keyspace.name);
  const events = (await consumer.until(3)).slice(1);
  expect(events.map(({ subject }) => subject)).toContain(id);
  for (const event of events) {
    expect(namesOf(event)).toHaveLength(2);
    for (const secret of [before, after]) {
      expect(new OfficialWebhook(secret).verify(event.body, event.headers)).toMatchObject({ id: event.id });
    }
  }
  await server.post(`${path}/delete`);
}, 30_000);

test('a dead letter is listed, replayed and then gone', async () => {
  const keyspace = await makeKeyspace(server);
  const before = consumer.received.length;
  const made = await server.post('/v1/webhooks', {
    url: consumer.url,
    keyspace: keyspace.name,
    types: ['key.issued'],
  });
  const event = {
    id: '1-0-999999',
    source: '/',
    type: 'dev.keyswarm.key.issued',
    subject: 'key_x',
    data: {},
  };
  await store.query({
    name: '',
    text: `
      insert into dead_letters (shard, id, workspace_id, kind, source, body, reason, attempts, died_at)
      select 3, '01912345-6789-7abc-8def-000000000003', d.workspace_id, 'event', '${String(made.body.id)}',
        '${JSON.stringify(event)}', 'server_error: status 500', 10, now()
      from documents d where d.kind = 'wh' limit 1`,
  });
  const [letter] = (await server.get('/v1/dead-letters')).body.items as { id: string; kind: string }[];
  expect(letter).toMatchObject({ kind: 'event', source: made.body.id, body: event, attempts: 10 });
  const replay = await server.post(`/v1/dead-letters/${letter?.id}/replay`);
  expect(replay.body).toEqual({ id: letter?.id, state: 'queued' });
  const received = await consumer.until(before + 1);
  expect(received.at(-1)).toMatchObject({ id: event.id, subject: 'key_x' });
  while (((await server.get('/v1/dead-letters')).body.items as unknown[]).length > 0) {
    await new Promise((resolve) => setImmediate(resolve));
  }
}, 30_000);
