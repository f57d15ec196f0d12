import { type KeyspaceId, uuidHexOf } from '@keyswarm/core';
import type { TokenPlacesRow } from '../reader-port.ts';
import type { Queryable } from '../store.ts';

/*
 * What stands in the way of tokens of one keyspace: every key whose state, owner or versions may refuse one of them. A key
 * of which all is well is not given, so that of a million keys with a hundredth revoked ten thousand rows are read out.
 *
 * The shard of an owner is the last byte of its id, modulo the number of shards.
 */

const statement = {
  name: 'read_token_places',
  text: `
    select k.traits -> 'tokens' as tokens, k.state, o.state as owner_state,
      extract(epoch from o.keys_not_before) * 1000 as owner_not_before_ms,
      (
        select json_agg(json_build_array(v.number, v.state, extract(epoch from v.minted_at) * 1000,
          extract(epoch from v.retires_at) * 1000))
        from key_versions v
        where v.shard = k.shard and v.key_id = k.id
      ) as versions
    from generate_series(0, $1::integer - 1) as s (shard)
    join keys k on k.shard = s.shard::smallint and k.keyspace_id = $2::uuid
    join owners o on o.id = k.owner_id
      and o.shard = (get_byte(uuid_send(k.owner_id), 15) & ($1::integer - 1))::smallint
    where k.traits -> 'tokens' is not null
      and ($3::boolean or k.state <> 'active' or o.state <> 'active' or o.keys_not_before is not null
        or exists (
          select 1 from key_versions v
          where v.shard = k.shard and v.key_id = k.id and v.state <> 'active'
        ))`,
};

/** `all`: also of keys of which all is well, where the keyspace has a watermark. */
export async function readTokenPlaces(
  tx: Queryable,
  wanted: { readonly keyspaceId: KeyspaceId; readonly all: boolean },
  shards: number,
): Promise<readonly TokenPlacesRow[]> {
  return await tx.query<TokenPlacesRow>(statement, [shards, uuidHexOf(wanted.keyspaceId), wanted.all]);
}
