import { expect, test } from 'vitest';
import { issue, makeKeyspace } from './fixtures.ts';
import type { TestServer } from './test-server.ts';

/** What is read back: lists in pages, events after a cursor. */
export function describeLists(serverOf: () => TestServer): void {
  test('lists come in pages that end, and events tell what happened after a cursor', async () => {
    const server = serverOf();
    const { name } = await makeKeyspace(server);
    const start = (await server.get('/v1/events?limit=200')).body.next_cursor;
    const ids = [];
    for (let at = 0; at < 5; at += 1) ids.push((await issue(server, name)).id);
    const seen: unknown[] = [];
    let cursor: unknown = '';
    do {
      const after = cursor === '' ? '' : `&cursor=${cursor}`;
      const page = (await server.get(`/v1/keys?keyspace=${name}&limit=2${after}`)).body;
      seen.push(...(page.items as { id: string }[]).map((item) => item.id));
      cursor = page.next_cursor;
    } while (cursor !== null);
    expect(seen).toEqual([...ids].sort());
    await readToEnd(server, start, ids);
  });
}

async function readToEnd(server: TestServer, start: unknown, ids: readonly string[]): Promise<void> {
  const subjects: string[] = [];
  let cursor = start;
  for (;;) {
    const { items, next_cursor } = (await server.get(`/v1/events?types=key.issued&limit=2&after=${cursor}`))
      .body;
    subjects.push(...(items as { subject: string }[]).map(({ subject }) => subject));
    if (next_cursor === cursor) break;
    cursor = next_cursor;
  }
  expect(subjects.filter((subject) => ids.includes(subject)).sort()).toEqual([...ids].sort());
}
