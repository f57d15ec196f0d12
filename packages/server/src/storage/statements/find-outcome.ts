import type { Queryable } from '../store.ts';
import { lockHead } from './lock-head.ts';

/*
 * Did a transaction whose COMMIT was cut off take place? It held the head row until it ended, either way. So
 * the head is locked first: without that, a commit that is still under way would look like one that failed,
 * and its batch would be written twice. The lock also makes this a writing transaction, whose own COMMIT waits for
 * the standby: an answer that comes back means that what was found is there, too.
 */

const findAuditHashStatement = {
  name: 'find_audit_hash',
  text: `
    select encode(hash, 'hex') as hash
    from audit
    where shard = $1::smallint and seq = $2::bigint`,
};

/** The hash of the audit record at this position, once no writer of the shard is under way. */
export async function findOutcome(tx: Queryable, shard: number, seq: number): Promise<string | undefined> {
  await lockHead(tx, shard);
  const rows = await tx.query<{ hash: string }>(findAuditHashStatement, [shard, seq]);
  return rows[0]?.hash;
}
