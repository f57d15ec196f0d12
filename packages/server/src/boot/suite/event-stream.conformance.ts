import { describe, expect, test } from 'vitest';
import { issue, makeKeyspace, makeWorkspace, manager } from './fixtures.ts';
import type { TestServer } from './test-server.ts';

interface Block {
  readonly id: string | undefined;
  readonly subject: string | undefined;
}

/** Events over server-sent events: beside the cursor form, and going on from it. */
export function describeEventStream(serverOf: () => TestServer): void {
  describe('the stream of events', () => {
    test('what happens is sent as it is committed, from the end on, and of this workspace only', async () => {
      const server = serverOf();
      const keyspace = await makeKeyspace(server);
      const other = await makeWorkspace(server);
      const stream = await Stream.open(server, '?from=end&types=key.issued');
      const elsewhere = await makeKeyspace(server, {}, { key: other });
      await issue(server, elsewhere.name, {}, { key: other });
      const { id } = await issue(server, keyspace.name);
      expect((await stream.next()).subject).toBe(id);
      const { id: second } = await issue(server, keyspace.name);
      expect((await stream.next()).subject).toBe(second);
      stream.close();
    });

    test('a reader that comes back with its last id misses nothing and gets nothing twice', async () => {
      const server = serverOf();
      const keyspace = await makeKeyspace(server);
      const first = await Stream.open(server, '?from=end&types=key.issued');
      const ids = [(await issue(server, keyspace.name)).id];
      const { id: lastEventId, subject } = await first.next();
      expect(subject).toBe(ids[0]);
      first.close();
      for (let nth = 0; nth < 3; nth += 1) ids.push((await issue(server, keyspace.name)).id);
      const second = await Stream.open(server, '?from=end&types=key.issued', {
        'last-event-id': lastEventId ?? '',
      });
      const seen = new Set<string | undefined>();
      for (let nth = 0; nth < 3; nth += 1) seen.add((await second.next()).subject);
      expect(seen).toEqual(new Set(ids.slice(1)));
      second.close();
    });

    test('the cursor of a page opens a stream, and the id of a stream a page', async () => {
      const server = serverOf();
      const keyspace = await makeKeyspace(server);
      const end = await server.get('/v1/events?from=end');
      expect(end.body.items).toEqual([]);
      const { id } = await issue(server, keyspace.name);
      const stream = await Stream.open(server, `?after=${String(end.body.next_cursor)}&types=key.issued`);
      const block = await stream.next();
      expect(block.subject).toBe(id);
      stream.close();
      const { id: later } = await issue(server, keyspace.name);
      const page = await server.get(`/v1/events?after=${block.id}&types=key.issued`);
      expect((page.body.items as { subject: string }[]).map(({ subject }) => subject)).toEqual([later]);
    });

    test('whoever may not read events gets no stream, and a bad cursor is named', async () => {
      const server = serverOf();
      const key = await manager(server, ['keys:read']);
      const headers = { accept: 'text/event-stream' };
      expect((await server.get('/v1/events', { key, headers })).status).toBe(403);
      const bad = await server.get('/v1/events', { headers: { ...headers, 'last-event-id': 'x' } });
      expect(bad.body).toMatchObject({ status: 400, code: 'invalid_field', field: 'Last-Event-ID' });
    });

    test('a stream ends soon after its management key is revoked', async () => {
      const server = serverOf();
      const { id, secret } = await issue(server, 'keyswarm', { scopes: ['events:read'] });
      const stream = await Stream.open(server, '?from=end', {}, secret);
      await server.post(`/v1/keys/${id}/revoke`, { reason: 'leaked' });
      await stream.ended();
    });
  });
}

class Stream {
  readonly #reader: ReadableStreamDefaultReader<Uint8Array>;
  readonly #abort: AbortController;
  #rest = '';
  readonly #blocks: Block[] = [];

  private constructor(reader: ReadableStreamDefaultReader<Uint8Array>, abort: AbortController) {
    this.#reader = reader;
    this.#abort = abort;
  }

  static async open(
    server: TestServer,
    query: string,
    headers: Readonly<Record<string, string>> = {},
    key = server.rootKey,
  ): Promise<Stream> {
    const abort = new AbortController();
    const response = await fetch(`${server.url}/v1/events${query}`, {
      headers: { accept: 'text/event-stream', authorization: `Bearer ${key}`, ...headers },
      signal: abort.signal,
    });
    expect([response.status, response.headers.get('content-type')]).toEqual([200, 'text/event-stream']);
    if (response.body === null) throw new Error('there is no body');
    return new Stream(response.body.getReader(), abort);
  }

  /** The next event; places between events are passed over. */
  async next(): Promise<Block> {
    for (;;) {
      const block = this.#blocks.shift();
      if (block?.subject !== undefined) return block;
      if (block === undefined && !(await this.#read())) throw new Error('the stream ended');
    }
  }

  async ended(): Promise<void> {
    try {
      while (await this.#read());
    } catch {
      // Cut off, which is an end too.
    }
  }

  close(): void {
    this.#abort.abort();
  }

  async #read(): Promise<boolean> {
    const { done, value } = await this.#reader.read();
    if (done) return false;
    this.#rest += new TextDecoder().decode(value);
    const blocks = this.#rest.split('\n\n');
    this.#rest = blocks.pop() ?? '';
    for (const text of blocks) {
      const data = /^data: (.*)$/m.exec(text)?.[1];
      this.#blocks.push({
        id: /^id: (.*)$/m.exec(text)?.[1],
        subject: data === undefined ? undefined : (JSON.parse(data) as { subject: string }).subject,
      });
    }
    return true;
  }
}
