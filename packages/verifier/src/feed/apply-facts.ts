import type { FeedRow } from '@keyswarm/core';
import type { LeaseTimes } from '../lease/raised-lease.ts';
import type { ResidentTable } from '../table/resident-table.ts';

/** Keyspace and owner first, so that the key is never there without them. */
export function applyFactsOf(row: FeedRow, table: ResidentTable, times: LeaseTimes): void {
  if (row.keyspace !== null) table.keyspaces.apply(row.keyspace, times);
  if (row.owner !== null) table.owners.apply(row.owner);
  if (row.signingKey !== undefined) table.signingKeys.apply(row.signingKey);
  if (row.key !== null) table.applyKey(row.key);
}
