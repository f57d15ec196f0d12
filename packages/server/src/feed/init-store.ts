import { assert } from '@keyswarm/core';
import type { Clock } from '../runtime/clock.ts';
import { instantText } from '../storage/statements/instant-text.ts';
import type { Store } from '../storage/store.ts';

/** The store was made with another number of shards. Every id's place depends on it, so it can't be changed. */
export class ShardsMismatch extends Error {
  override readonly name = 'ShardsMismatch';
  readonly wanted: number;
  readonly found: number;

  constructor(wanted: number, found: number) {
    super(`the store was made with ${found} shards, and can not be opened with ${wanted}`);
    this.wanted = wanted;
    this.found = found;
  }
}

const insertSettings = {
  name: '',
  text: `
    insert into settings (shard, shards, created_at) values (0, $1::smallint, $2::timestamptz)
    on conflict on constraint settings_pkey do nothing
    returning shards`,
};

const readSettings = { name: '', text: 'select shards from settings where shard = 0' };

const insertHeads = {
  name: '',
  text: `
    insert into feed_heads (shard, epoch, seq, audit_hash)
    select shard, 1, 0, decode(repeat('00', 32), 'hex')
    from generate_series(0, $1::integer - 1) as shard
    on conflict on constraint feed_heads_pkey do nothing`,
};

const raiseEpoch = {
  name: '',
  text: `
    with next as (
      select greatest(max(epoch) + 1, floor(extract(epoch from clock_timestamp()))::bigint) as epoch from feed_heads
    )
    update feed_heads h set epoch = next.epoch from next returning h.epoch`,
};

/**
 * Makes a migrated store ready to be written to: fixes its number of shards and lays a head row for each. Safe
 * under concurrent starters, and does nothing to a store that is ready. Says whether it was this call that made
 * it.
 */
export function initStore(
  store: Store,
  options: { readonly shards: number; readonly clock: Clock },
): Promise<{ readonly created: boolean }> {
  return store.transaction(async (tx) => {
    const made = await tx.query(insertSettings, [options.shards, instantText(options.clock.nowMs())]);
    const found = await tx.query<{ shards: number }>(readSettings);
    const shards = found[0]?.shards;
    assert(shards !== undefined, 'a store that was made has settings');
    if (shards !== options.shards) throw new ShardsMismatch(options.shards, shards);
    await tx.query(insertHeads, [shards]);
    return { created: made.length > 0 };
  });
}

/**
 * Sends every follower to a snapshot: to be called after a restore or a failover that may have lost commits,
 * before the first write. It is the second in which it begins, so that it can't be one that verifiers have seen after
 * an earlier restore which this store, restored from an older backup, knows nothing of.
 */
export async function startNewEpoch(store: Store): Promise<number> {
  const rows = await store.transaction((tx) => tx.query<{ epoch: number }>(raiseEpoch));
  const epoch = rows[0]?.epoch;
  assert(epoch !== undefined, 'a store that was made has head rows');
  return epoch;
}
