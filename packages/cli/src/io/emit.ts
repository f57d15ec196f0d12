import type { Listing } from '@keyswarm/sdk';
import type { Context } from '../context.ts';
import { formatTable } from './table.ts';

/** One result: JSON on a line, or what `human` makes of it. */
export async function emit<T extends object>(
  { json, terminal }: Context,
  value: T,
  human: (value: T) => string,
): Promise<void> {
  await terminal.print(json ? JSON.stringify(value) : human(value));
}

export interface ListTerms<Item> {
  readonly headings: readonly string[];
  readonly row: (item: Item) => readonly string[];
  /** What `row` needs to know of a page. Not called under `--json`. */
  readonly beforeRows?: (items: readonly Item[]) => Promise<void>;
  /** The list, in pages of `limit` items. */
  readonly list: (page: { readonly limit: number }) => Listing<Item>;
  /** Items to print at most. */
  readonly itemsMax: number;
}

const pageItemsMax = 200;

/** Prints a list page by page, so that a long one shows at once and is never held as a whole. */
export async function emitList<Item extends object>(
  { json, terminal }: Context,
  { headings, row, beforeRows, list, itemsMax }: ListTerms<Item>,
): Promise<void> {
  let printed = 0;
  let isMore = false;
  for await (const { items, next_cursor } of list({ limit: Math.min(pageItemsMax, itemsMax) }).pages()) {
    const wanted = items.slice(0, itemsMax - printed);
    if (json) for (const item of wanted) await terminal.print(JSON.stringify(item));
    else if (wanted.length > 0 || printed === 0) {
      await beforeRows?.(wanted);
      const table = formatTable(headings, wanted.map(row));
      await terminal.print(printed === 0 ? table : table.slice(table.indexOf('\n') + 1));
    }
    printed += wanted.length;
    isMore = wanted.length < items.length || next_cursor !== null;
    if (printed >= itemsMax) break;
  }
  if (isMore) terminal.say(`only the first ${printed} are shown; --limit <count> or --all shows more`);
}
