import type { Queryable } from '../store.ts';
import { instantText } from './instant-text.ts';

const sweepIdempotencyStatement = {
  name: 'sweep_idempotency',
  text: `
    delete from idempotency i
    using (
      select key_hash from idempotency
      where shard = $1::smallint and expires_at <= $2::timestamptz
      order by expires_at
      limit $3::integer
    ) old
    where i.shard = $1::smallint and i.key_hash = old.key_hash and i.expires_at <= $2::timestamptz
    returning 1 as swept`,
};

/** Removes replies of one shard that have run out, `limit` at the most; says how many. */
export async function sweepIdempotency(
  tx: Queryable,
  shard: number,
  nowMs: number,
  limit: number,
): Promise<number> {
  const rows = await tx.query(sweepIdempotencyStatement, [shard, instantText(nowMs), limit]);
  return rows.length;
}
