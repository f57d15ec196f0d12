import { expect, test } from 'vitest';
import { createClient, KeyswarmError } from '../index.ts';
import { ManualRuntime } from '../testing/manual-runtime.ts';

interface Asked {
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
}

/** A server that answers each connection with these pieces of text, however they are cut. */
function clientOver(connections: readonly (readonly string[] | Response | Error)[]) {
  const asked: Asked[] = [];
  const rest = [...connections];
  const client = createClient({
    baseUrl: 'http://server',
    managementKey: 'keyswarm_k',
    runtime: new ManualRuntime(),
    fetch: async (url, init) => {
      asked.push({ url, headers: init.headers as Record<string, string> });
      const next = rest.shift() ?? new Error('there is nobody');
      if (next instanceof Error) throw next;
      if (next instanceof Response) return next;
      const body = new ReadableStream<Uint8Array>({
        start(controller) {
          for (const piece of next) controller.enqueue(new TextEncoder().encode(piece));
          controller.close();
        },
      });
      return new Response(body, { headers: { 'content-type': 'text/event-stream' } });
    },
  });
  return { client, asked };
}

const eventText = (nth: number): string => `id: c${nth}\ndata: {"id":"1-0-${nth}"}\n\n`;

async function take(client: ReturnType<typeof clientOver>['client'], count: number, cursors: string[] = []) {
  const ids: string[] = [];
  const onCursor = (cursor: string): void => void cursors.push(cursor);
  for await (const { event } of client.events.stream({ from: 'end', types: ['key.issued'] }, { onCursor })) {
    ids.push(event.id);
    if (ids.length === count) break;
  }
  return ids;
}

test('events are read however the bytes are cut, and a connection that ends is opened again at the last place', async () => {
  const text = `retry: 2000\n\n${eventText(1)}id: c2\n\n:\n\n`;
  const { client, asked } = clientOver([[...text], new Error('down'), [eventText(3), eventText(4)]]);
  const cursors: string[] = [];
  expect(await take(client, 3, cursors)).toEqual(['1-0-1', '1-0-3', '1-0-4']);
  expect(cursors).toEqual(['c1', 'c2', 'c3', 'c4']);
  expect(asked.map(({ url }) => url)).toEqual([
    'http://server/v1/events?from=end&types=key.issued',
    'http://server/v1/events?after=c2&types=key.issued',
    'http://server/v1/events?after=c2&types=key.issued',
  ]);
  expect(asked[0]?.headers).toMatchObject({
    accept: 'text/event-stream',
    authorization: 'Bearer keyswarm_k',
  });
});

test('a refusal ends it, and what it throws holds no key', async () => {
  const problem = {
    type: 'urn:keyswarm:problem:forbidden',
    title: 'x',
    status: 403,
    code: 'forbidden',
    detail: 'no',
  };
  const refusal = new Response(JSON.stringify(problem), {
    status: 403,
    headers: { 'content-type': 'application/problem+json' },
  });
  const error = await take(clientOver([refusal]).client, 1).then(
    () => undefined,
    (thrown: unknown) => thrown,
  );
  expect(error).toBeInstanceOf(KeyswarmError);
  expect(error).toMatchObject({ code: 'forbidden' });
  expect(JSON.stringify(error)).not.toContain('keyswarm_k');
});

test('an abort ends it quietly', async () => {
  const { client } = clientOver([[eventText(1)]]);
  const controller = new AbortController();
  const seen: string[] = [];
  for await (const { cursor } of client.events.stream({}, { signal: controller.signal })) {
    seen.push(cursor);
    controller.abort();
  }
  expect(seen).toEqual(['c1']);
});
