import { assert } from '@keyswarm/core';
import type { Queryable } from '../store.ts';
import type { Head } from './append-feed.ts';

const lockHeadStatement = {
  name: 'lock_head',
  text: `
    select epoch, seq, encode(audit_hash, 'hex') as audit_hash
    from feed_heads
    where shard = $1::smallint
    for update`,
};

/**
 * The head of a shard, held until the transaction ends: who comes after gets later numbers *and* commits later.
 * That is all there is to the feed's order.
 */
export async function lockHead(tx: Queryable, shard: number): Promise<Head> {
  const rows = await tx.query<{ epoch: number; seq: number; audit_hash: string }>(lockHeadStatement, [shard]);
  const row = rows[0];
  assert(row !== undefined, 'every shard has a head row');
  return { epoch: row.epoch, seq: row.seq, auditHashHex: row.audit_hash };
}
