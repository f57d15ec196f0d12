import { type EventType, uuidHexOf, type WorkspaceId } from '@keyswarm/core';
import type { Queryable } from '../store.ts';

/*
 * The next rows of one shard, of which only those that are wanted carry their body: a page is bounded by what it
 * looks through. Two rows without a body say where the look began and ended.
 */

const readDeliveriesStatement = {
  name: 'read_deliveries',
  text: `
    with scanned as materialized (
      select f.seq, f.body,
        f.workspace_id = $3::uuid and ($4::text[] is null or f.type = any($4::text[])) as wanted
      from feed f
      where f.shard = $1::smallint and f.seq > $2::bigint
      order by f.seq
      limit $5::integer
    )
    select seq, body from scanned where wanted
    union all
    select min(seq), null from scanned having min(seq) is not null
    union all
    select max(seq), null from scanned having max(seq) is not null`,
};

export interface DeliveryRead {
  readonly shard: number;
  /** Exclusive. */
  readonly after: number;
  readonly workspaceId: WorkspaceId;
  readonly types: readonly EventType[] | null;
  readonly scanRows: number;
}

export interface DeliveryPage {
  /** Wanted rows, ascending, as they were stored. */
  readonly bodies: readonly { readonly seq: number; readonly body: unknown }[];
  /** Of all rows that were looked through; undefined: there were none. */
  readonly scanned: { readonly from: number; readonly to: number } | undefined;
}

export async function readDeliveries(tx: Queryable, read: DeliveryRead): Promise<DeliveryPage> {
  const rows = await tx.query<{ seq: number; body: unknown }>(readDeliveriesStatement, [
    read.shard,
    read.after,
    uuidHexOf(read.workspaceId),
    read.types,
    read.scanRows,
  ]);
  const bodies = rows.filter(({ body }) => body !== null).sort((a, b) => a.seq - b.seq);
  const ends = rows.filter(({ body }) => body === null).map(({ seq }) => seq);
  if (ends.length === 0) return { bodies, scanned: undefined };
  return { bodies, scanned: { from: Math.min(...ends), to: Math.max(...ends) } };
}
