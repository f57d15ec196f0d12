import {
  type CampaignId,
  idFromUuidText,
  type KeyId,
  type KeySelector,
  type KeyspaceId,
  type OwnerId,
  type RankRange,
  uuidHexOf,
} from '@keyswarm/core';
import type { Queryable, Statement } from '../store.ts';
import { instantText } from './instant-text.ts';
import { firstUuid } from './snapshot-pages.ts';

/*
 * The keys that a campaign means, shard by shard and in the order of their ids, so that a campaign over a million of
 * them is a few thousand reads of an index and no list that somebody holds. It is a filter for what the lane then
 * decides on the locked record; only the watermarks of owner and keyspace are left to that.
 */

/** Two random bytes of the id: where the key stands in the order of samples (`rankOf` in core). */
const rank = "('x' || substr(k.id::text, 25, 4))::bit(16)::integer";

/**
 * Scopes that cover one which is wanted, written out: `a:b` is covered by `a:b`, `a:*` and `*`. Each inner list has to
 * meet the key's scopes.
 */
const holdsScopes = `not exists (
        select 1 from jsonb_array_elements($9::jsonb) as wanted (covering)
        where not k.scopes && array(select jsonb_array_elements_text(wanted.covering))
      )`;

const isMeant = `k.state <> 'revoked' and (k.expires_at is null or k.expires_at > $7::timestamptz)
      and k.created_at < $6::timestamptz and ${rank} >= $4::integer and ${rank} < $5::integer
      and ($8::text is null or $8::text = case
        when k.state = 'suspended' then 'suspended'
        when k.not_before > $7::timestamptz then 'pending'
        else 'active'
      end)
      and ${holdsScopes}`;

const ofKeyspace = 'k.shard = $1::smallint and k.keyspace_id = $2::uuid and k.id > $3::uuid';
const ofOwner = `${ofKeyspace} and k.owner_id = $11::uuid`;

const select = (name: string, where: string): Statement => ({
  name,
  text: `select k.id from keys k where ${where} and ${isMeant} order by k.id limit $10::integer`,
});
const selects = {
  keyspace: select('select_campaign_keys', ofKeyspace),
  owner: select('select_campaign_keys_of_owner', ofOwner),
};
const count = (name: string, where: string): Statement => ({
  name,
  text: `select count(*)::integer as found from (
      select 1 from keys k where ${where} and ${isMeant} limit $10::integer
    ) k`,
});
const counts = {
  keyspace: count('count_campaign_keys', ofKeyspace),
  owner: count('count_campaign_keys_of_owner', ofOwner),
};

export interface SelectKeys {
  readonly shard: number;
  readonly keyspaceId: KeyspaceId;
  readonly selector: KeySelector;
  readonly ranks: RankRange;
  readonly after: KeyId | null;
  readonly limit: number;
  readonly nowMs: number;
}

export async function selectCampaignKeys(tx: Queryable, wish: SelectKeys): Promise<readonly KeyId[]> {
  const statement = wish.selector.ownerId === null ? selects.keyspace : selects.owner;
  const rows = await tx.query<{ readonly id: string }>(statement, paramsOf(wish));
  return rows.map(({ id }) => idFromUuidText('key', id));
}

/** How many there are, as far as `limit`. */
export async function countCampaignKeys(tx: Queryable, wish: SelectKeys): Promise<number> {
  const statement = wish.selector.ownerId === null ? counts.keyspace : counts.owner;
  const rows = await tx.query<{ readonly found: number }>(statement, paramsOf(wish));
  return rows[0]?.found ?? 0;
}

function paramsOf({ shard, keyspaceId, selector, ranks, after, limit, nowMs }: SelectKeys) {
  const { ownerId, scopes, issuedBeforeMs, state } = selector;
  return [
    shard,
    uuidHexOf(keyspaceId),
    after === null ? firstUuid : uuidHexOf(after),
    ranks.from,
    ranks.until,
    instantText(issuedBeforeMs),
    instantText(nowMs),
    state,
    JSON.stringify(scopes.map(coveringOf)),
    limit,
    ...(ownerId === null ? [] : [uuidHexOf(ownerId as OwnerId)]),
  ];
}

/** Every scope that covers this one. */
function coveringOf(scope: string): readonly string[] {
  const segments = scope.split(':');
  const wildcards = segments.map((_, at) => [...segments.slice(0, at), '*'].join(':'));
  return [...new Set([scope, ...wildcards])];
}

const askedStatement = {
  name: 'select_asked_keys',
  text: `
    select k.id from keys k
    where k.shard = $1::smallint and k.traits ->> 'campaign' = $2::text and k.id > $3::uuid
      and k.state <> 'revoked'
    order by k.id
    limit $4::integer`,
};

/** Keys that a campaign has asked to renew and that are not revoked, renewed or not. */
export async function selectAskedKeys(
  tx: Queryable,
  wish: {
    readonly shard: number;
    readonly campaignId: CampaignId;
    readonly after: KeyId | null;
    readonly limit: number;
  },
): Promise<readonly KeyId[]> {
  const after = wish.after === null ? firstUuid : uuidHexOf(wish.after);
  const params = [wish.shard, wish.campaignId, after, wish.limit];
  const rows = await tx.query<{ readonly id: string }>(askedStatement, params);
  return rows.map(({ id }) => idFromUuidText('key', id));
}

const countAskedStatement = {
  name: 'count_asked_keys',
  text: `
    select
      count(*) filter (where k.traits -> 'renew_after_ms' is null)::integer as renewed,
      count(*) filter (where k.traits -> 'renew_after_ms' is not null and k.state <> 'revoked'
        and (k.expires_at is null or k.expires_at > $3::timestamptz))::integer as open
    from generate_series(0, $1::integer - 1) as s (shard)
    join keys k on k.shard = s.shard::smallint and k.traits ->> 'campaign' = $2::text`,
};

/** Of the keys that a campaign has asked: how many were renewed since, and how many still may be. */
export async function countAskedKeys(
  tx: Queryable,
  wish: { readonly campaignId: CampaignId; readonly nowMs: number },
  shards: number,
): Promise<{ readonly renewed: number; readonly open: number }> {
  const params = [shards, wish.campaignId, instantText(wish.nowMs)];
  const rows = await tx.query<{ readonly renewed: number; readonly open: number }>(
    countAskedStatement,
    params,
  );
  return rows[0] ?? { renewed: 0, open: 0 };
}
