import { decodeFeedRow, type FeedRow, isBadRow } from '@keyswarm/core';

export interface ReadableRows {
  readonly rows: readonly FeedRow[];
  /** Of the first row that can't be read; whoever reads on stands before it until it can be. */
  readonly stopsAt: number | undefined;
}

/**
 * The rows up to the first that can't be read: one that a newer server wrote, say, while servers are replaced one after the other. To
 * pass it over would lose an event in silence for whoever reads here; to stop delays those of one shard until it is mended.
 */
export function readableRows(
  stored: readonly { readonly seq: number; readonly body: unknown }[],
): ReadableRows {
  const rows: FeedRow[] = [];
  for (const { seq, body } of stored) {
    const row = decodeFeedRow(body);
    if (isBadRow(row)) return { rows, stopsAt: seq };
    rows.push(row);
  }
  return { rows, stopsAt: undefined };
}
