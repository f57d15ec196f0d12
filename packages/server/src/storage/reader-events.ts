import type { FeedRow, WorkspaceId } from '@keyswarm/core';
import { eventScanRowsMax } from '../limits.ts';
import { readableRows } from './readable-rows.ts';
import type { EventPage, EventQuery } from './reader-port.ts';
import { readEvents, type ShardEvents } from './statements/read-events.ts';
import { readHeads } from './statements/read-heads.ts';
import type { Queryable } from './store.ts';

/**
 * One page of a workspace's events out of all shards. Within a shard the order is that of commits; between
 * shards it is that of the writers' clocks, as far as one page can see. What is visible of a shard has no gap
 * (see `feed/feed-source.ts`), so a cursor that moved past a row never misses one before it.
 */
export async function readEventPage(
  store: Queryable,
  shards: number,
  workspaceId: WorkspaceId,
  query: EventQuery,
): Promise<EventPage> {
  const heads = await readHeads(store);
  const after = Array.from({ length: shards }, (_, shard) => query.after?.[shard] ?? 0);
  const found = await readEvents(store, {
    workspaceId,
    after,
    types: query.types,
    limit: query.limit,
    scanRows: Math.max(query.limit, eventScanRowsMax),
  });
  const epoch = heads[0]?.epoch ?? 0;
  return { ...mergeShards(found, query.limit, epoch), epoch };
}

interface Cursor {
  readonly rows: readonly FeedRow[];
  readonly events: ShardEvents;
  readonly stopsAt: number | undefined;
  taken: number;
}

function mergeShards(
  found: readonly ShardEvents[],
  limit: number,
  epoch: number,
): Pick<EventPage, 'rows' | 'next'> {
  const cursors: Cursor[] = found.map((events) => ({
    ...readableRows(events.bodies, epoch),
    events,
    taken: 0,
  }));
  const rows: FeedRow[] = [];
  while (rows.length < limit) {
    const next = earliest(cursors);
    const row = next?.rows[next.taken];
    if (next === undefined || row === undefined) break;
    rows.push(row);
    next.taken += 1;
  }
  return { rows, next: cursors.map((cursor) => positionOf(cursor, limit)) };
}

function earliest(cursors: readonly Cursor[]): Cursor | undefined {
  let first: Cursor | undefined;
  let firstMs = Infinity;
  for (const cursor of cursors) {
    const atMs = cursor.rows[cursor.taken]?.atMs;
    if (atMs === undefined || atMs >= firstMs) continue;
    first = cursor;
    firstMs = atMs;
  }
  return first;
}

/** Behind all that was looked through only if all that was found in it is on the page. */
function positionOf({ rows, events, stopsAt, taken }: Cursor, limit: number): number {
  const next = rows[taken];
  if (next !== undefined) return next.seq - 1;
  if (stopsAt !== undefined) return stopsAt - 1;
  const last = events.bodies.at(-1);
  // The shard gave as many as it may: more may lie between the last of them and the end of the look.
  if (last !== undefined && events.bodies.length >= limit) return last.seq;
  return events.scannedTo;
}
