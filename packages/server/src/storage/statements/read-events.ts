import { type EventType, uuidHexOf, type WorkspaceId } from '@keyswarm/core';
import type { Queryable } from '../store.ts';

/*
 * Of each shard the next few rows are looked through and those that are wanted are given, up to the page's
 * length; a last row of each shard, without a body, says how far the look went. So a page is bounded by what it
 * looks through, not by what it finds, and a filter that matches nothing still moves on. Bodies are taken of what is wanted
 * alone: those of all that is looked through are over PostgreSQL's work_mem, and went by way of its disk.
 */

const readEventsStatement = {
  name: 'read_events',
  text: `
    with scanned as materialized (
      select s.shard, f.seq, w.wanted, case when w.wanted then f.body end as body
      from unnest($1::smallint[], $2::bigint[]) as s (shard, after)
      cross join lateral (
        select * from feed
        where feed.shard = s.shard and feed.seq > s.after
        order by feed.seq
        limit $5::integer
      ) f
      cross join lateral (
        select f.workspace_id = $3::uuid and ($4::text[] is null or f.type = any($4::text[])) as wanted
      ) w
    ), numbered as (
      select shard, seq, body, row_number() over (partition by shard order by seq) as nth
      from scanned
      where wanted
    )
    select shard, seq, body from numbered where nth <= $6::integer
    union all
    select shard, max(seq), null from scanned group by shard
    order by shard, seq`,
};

export interface EventScan {
  readonly workspaceId: WorkspaceId;
  /** One number a shard, exclusive. */
  readonly after: readonly number[];
  readonly types: readonly EventType[] | undefined;
  readonly limit: number;
  /** Rows of one shard that are looked through. */
  readonly scanRows: number;
}

export interface ShardEvents {
  /** Wanted rows, ascending, as they were stored. */
  readonly bodies: readonly { readonly seq: number; readonly body: unknown }[];
  /** The last row that was looked at, or where the look began. */
  readonly scannedTo: number;
}

/** One entry a shard. */
export async function readEvents(tx: Queryable, scan: EventScan): Promise<readonly ShardEvents[]> {
  const rows = await tx.query<{ shard: number; seq: number; body: unknown }>(readEventsStatement, [
    scan.after.map((_, shard) => shard),
    scan.after,
    uuidHexOf(scan.workspaceId),
    scan.types ?? null,
    scan.scanRows,
    scan.limit,
  ]);
  const shards = scan.after.map((after) => ({
    bodies: [] as { seq: number; body: unknown }[],
    scannedTo: after,
  }));
  for (const { shard, seq, body } of rows) {
    const events = shards[shard];
    if (events === undefined) continue;
    if (body === null) events.scannedTo = seq;
    else events.bodies.push({ seq, body });
  }
  return shards;
}
