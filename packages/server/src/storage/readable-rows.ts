import { decodeFeedRow, type FeedRow, isBadRow } from '@keyswarm/core';

export interface ReadableRows {
  readonly rows: readonly FeedRow[];
  /** Of the first row that can't be read; whoever reads on stands before it until it can be. */
  readonly stopsAt: number | undefined;
}

/**
 * The rows up to the first that can't be read: one that a newer server wrote, say, while servers are replaced one after the other. To
 * pass it over would lose an event in silence for whoever reads here; to stop delays those of one shard until it is mended. One of an
 * epoch that is over is passed over: whoever began a new one has decided to go on without what nobody can read.
 */
export function readableRows(
  stored: readonly { readonly seq: number; readonly body: unknown }[],
  epoch: number,
): ReadableRows {
  const rows: FeedRow[] = [];
  for (const { seq, body } of stored) {
    const row = decodeFeedRow(body);
    if (!isBadRow(row)) rows.push(row);
    else if (epochOf(body) >= epoch) return { rows, stopsAt: seq };
  }
  return { rows, stopsAt: undefined };
}

/** Every format names its epoch; what does not was written by no server, and belongs to none. */
function epochOf(body: unknown): number {
  const epoch = typeof body === 'object' && body !== null && 'epoch' in body ? body.epoch : undefined;
  return typeof epoch === 'number' ? epoch : 0;
}
