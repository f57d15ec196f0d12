import { once } from 'node:events';
import { request } from 'node:http';
import type { DemoState, LiveFrame } from '@keyswarm/contract';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { liveWatchersOfOneMax } from '../limits.ts';
import { createPgliteStore } from '../storage/pglite/pglite-store.ts';
import { issue, makeKeyspace, makeWorkspace, manager, problemOf } from './suite/fixtures.ts';
import { startTestServer, type TestServer } from './suite/test-server.ts';

/* What is watched, over the wire: who may, what a frame says, and when it ends. */

let server: TestServer;
beforeAll(async () => {
  server = await startTestServer({ store: await createPgliteStore() });
}, 30_000);
afterAll(() => server.close());

/** Watches until a frame satisfies; gives that frame, or how the stream ended. */
async function watch(key: string, until: (frame: LiveFrame) => boolean): Promise<LiveFrame | string> {
  const watching = await openWatch(key);
  try {
    return await watching.until(until);
  } finally {
    watching.close();
  }
}

async function openWatch(key: string) {
  const controller = new AbortController();
  const response = await fetch(`${server.url}/v1/live`, {
    headers: { authorization: `Bearer ${key}` },
    signal: controller.signal,
  });
  expect(response.status).toBe(200);
  expect(response.headers.get('content-type')).toContain('text/event-stream');
  const body = response.body?.pipeThrough(new TextDecoderStream()).getReader();
  let text = '';
  return {
    close: () => controller.abort(),
    async until(isWanted: (frame: LiveFrame) => boolean): Promise<LiveFrame | string> {
      while (true) {
        const { done, value } = (await body?.read()) ?? { done: true, value: undefined };
        if (done) return text;
        text += value;
        const events = text.split('\n\n');
        text = events.pop() ?? '';
        for (const event of events) {
          const [, name, data] = /^event: (\w+)\ndata: (.*)$/.exec(event) ?? [];
          if (name === 'end') return data ?? '';
          if (name !== 'frame' || data === undefined) continue;
          const frame: LiveFrame = JSON.parse(data);
          if (isWanted(frame)) return frame;
        }
      }
    },
  };
}

describe('who may watch', () => {
  test('nobody without a key, nor with one that lacks metrics:read, and the refusal names the scope', async () => {
    expect(problemOf(await server.get('/v1/live', { key: null }))).toMatchObject({ status: 401 });
    const other = await manager(server, ['keys:read']);
    const refused = await server.get('/v1/live', { key: other });
    expect(refused.body).toMatchObject({ code: 'forbidden', expected: 'metrics:read' });
  });

  test('one key watches so often and no more, and a place that is left is free again', async () => {
    const key = await manager(server, ['metrics:read']);
    const all = await Promise.all(Array.from({ length: liveWatchersOfOneMax }, () => openWatch(key)));
    expect(problemOf(await server.get('/v1/live', { key }))).toEqual({ status: 429, code: 'rate_limited' });
    for (const one of all) one.close();
    // Until the server has noticed that they went.
    for (let status = 429; status === 429; ) {
      const again = await fetch(`${server.url}/v1/live`, { headers: { authorization: `Bearer ${key}` } });
      status = again.status;
      await again.body?.cancel();
    }
  });

  test('a key that is revoked while it watches sees the end of it, with the reason', async () => {
    const { id, secret } = await issue(server, 'keyswarm', { scopes: ['metrics:read'] });
    const watching = await openWatch(secret);
    await watching.until(() => true);
    await server.post(`/v1/keys/${id}/revoke`, {});
    const end = await watching.until(() => false);
    expect(end).toContain('"unauthenticated"');
    watching.close();
  });
});

describe('a frame', () => {
  test('counts what happens: issued, revoked, verified by verdict, with the time that it took', async () => {
    const { name } = await makeKeyspace(server, { lease_seconds: 7 });
    const watching = await openWatch(server.rootKey);
    await watching.until(({ keyspaces }) => keyspaces.length > 0);
    const { id, secret } = await issue(server, name);
    const seen = await watching.until(({ changes }) => (changes['key.issued'] ?? 0) > 0);
    expect(seen).toMatchObject({ workers: 1, latency: { issue: { p50_ms: expect.any(Number) } } });
    await server.post('/v1/keys/verify', { key: secret });
    await watching.until(({ verdicts }) => (verdicts.valid ?? 0) > 0);
    await server.post(`/v1/keys/${id}/revoke`, {});
    const after = await watching.until(({ endings }) => endings.length > 0);
    expect(after).toMatchObject({
      endings: [{ type: 'key.revoked', subject: id, bound_ms: 7_070, expected: 0 }],
    });
    watching.close();
  });

  test('of another workspace says nothing of this one, and never a secret', async () => {
    const theirs = await makeWorkspace(server);
    const watching = await openWatch(theirs);
    await watching.until(() => true);
    const { name } = await makeKeyspace(server);
    const { id, secret } = await issue(server, name);
    await server.post(`/v1/keys/${id}/revoke`, {});
    const frame = await watch(theirs, ({ interval_ms }) => interval_ms > 0);
    const text = JSON.stringify([frame, await watching.until(({ interval_ms }) => interval_ms > 0)]);
    expect(text).not.toContain(id);
    expect(text).not.toContain(name);
    expect(text).not.toContain(secret);
    expect(text).toContain('"endings":[]');
    watching.close();
  });
});

test('events can be begun a page before the newest, so that a page of them need not walk through all', async () => {
  const { name } = await makeKeyspace(server);
  for (let keys = 0; keys < 8; keys += 1) await issue(server, name);
  const recent = await server.get('/v1/events?from=recent&limit=4');
  const { items, next_cursor: cursor } = recent.body as { items: { id: string }[]; next_cursor: string };
  const oldest = await server.get('/v1/events?limit=4');
  expect(items).toHaveLength(4);
  for (const { id } of items) expect(oldest.text).not.toContain(`"${id}"`);
  const { id } = await issue(server, name);
  const next = await server.get(`/v1/events?from=recent&limit=4&after=${cursor}`);
  const fresh = next.body.items as { subject: string; type: string }[];
  expect(
    fresh.filter(({ type }) => type === 'dev.keyswarm.key.issued').map(({ subject }) => subject),
  ).toEqual([id]);
});

describe('the demonstration', () => {
  test('is not there unless the server was started with it', async () => {
    expect(problemOf(await server.post('/v1/demo'))).toEqual({ status: 404, code: 'not_found' });
    const frame = await watch(server.rootKey, () => true);
    expect(frame).toMatchObject({ demo: null } satisfies { demo: DemoState | null });
  });
});

test('a server that goes down ends the watch and says why, and is not held up by it', async () => {
  const other = await startTestServer({ store: await createPgliteStore() });
  const asked = request(`${other.url}/v1/live`, { headers: { authorization: `Bearer ${other.rootKey}` } });
  asked.end();
  const [response] = await once(asked, 'response');
  let text = '';
  response.setEncoding('utf8').on('data', (piece: string) => {
    text += piece;
  });
  const ended = once(response, 'end');
  await Promise.all([other.close(), ended]);
  expect(text).toContain('event: end');
  expect(text).toContain('"shutting_down"');
}, 60_000);
