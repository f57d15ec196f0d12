import type { Queryable } from '../store.ts';

const advanceHeadStatement = {
  name: 'advance_head',
  text: `
    update feed_heads set seq = seq + $2::bigint
    where shard = $1::smallint
    returning epoch, seq, encode(audit_hash, 'hex') as audit_hash`,
};

export interface Head {
  readonly epoch: number;
  /** The last number that is taken. */
  readonly seq: number;
  /** Of the record before the first one that the caller will write. */
  readonly auditHashHex: string;
}

/**
 * Takes the next `count` numbers of a shard and holds its head row until the transaction ends: who comes after
 * gets later numbers *and* commits later. That is all there is to the feed's order, so this is the last but
 * one statement of a transaction: everything slow has been done before.
 */
export async function advanceHead(tx: Queryable, shard: number, count: number): Promise<Head | undefined> {
  const rows = await tx.query<{ epoch: number; seq: number; audit_hash: string }>(advanceHeadStatement, [
    shard,
    count,
  ]);
  const row = rows[0];
  return row && { epoch: row.epoch, seq: row.seq, auditHashHex: row.audit_hash };
}
