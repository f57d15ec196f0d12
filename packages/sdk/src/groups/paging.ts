import type { OperationId } from '@keyswarm/contract';
import { badShape } from '../call/read-reply.ts';

export interface PageOf<Item> {
  readonly items: readonly Item[];
  /** Null on the last page. */
  readonly next_cursor: string | null;
}

/**
 * A list that is read page by page as it is walked: `for await (const key of client.keys.list())`. Walking it
 * again asks again.
 */
export interface Listing<Item> extends AsyncIterable<Item> {
  /** The first page. */
  page(): Promise<PageOf<Item>>;
  pages(): AsyncIterableIterator<PageOf<Item>>;
}

export function listingOf<Item>(
  operationId: OperationId,
  fetchPage: (cursor: string | undefined) => Promise<PageOf<Item>>,
  firstCursor?: string,
): Listing<Item> {
  const checked = async (cursor: string | undefined): Promise<PageOf<Item>> => {
    const page = await fetchPage(cursor);
    if (Array.isArray(page.items)) return page;
    throw badShape(operationId, 'A page has no items.');
  };
  async function* pages(): AsyncGenerator<PageOf<Item>, undefined> {
    let cursor = firstCursor;
    while (true) {
      const page = await checked(cursor);
      yield page;
      const next = page.next_cursor;
      if (typeof next !== 'string') return;
      // A server that gives the same cursor twice would be walked for ever.
      if (next === cursor) throw badShape(operationId, 'The cursor does not move.');
      cursor = next;
    }
  }
  return {
    page: () => checked(firstCursor),
    pages,
    async *[Symbol.asyncIterator]() {
      for await (const page of pages()) yield* page.items;
    },
  };
}
