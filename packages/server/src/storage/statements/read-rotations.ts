import { idFromUuidText, type KeyId, uuidHexOf, type VersionUse } from '@keyswarm/core';
import type { AgingPage, RotationsReader, RuledKeyspace, SettlingPage } from '../rotations-port.ts';
import type { Queryable } from '../store.ts';
import { instantText } from './instant-text.ts';
import { firstUuid } from './snapshot-pages.ts';

/*
 * What periodic work on rotations looks for, by sets. Keyspaces are few and read whole. Rotations under way have an
 * index of their own. Keys whose secret is old are found by going through the keys of their keyspace: a walk of a million
 * of them is five hundred reads of 2,000 rows. Rejected: an index of versions by their age, which every issuance would
 * pay for, in keyspaces without a rule as well, to spare an hourly walk some seconds. Ids begin with the instant that their
 * key was made in, so that keys which are younger than the rule are not walked at all.
 */

const ruledStatement = {
  name: 'ruled_keyspaces',
  text: `
    select s.id, s.workspace_id, (s.rules ->> 'rotate_after_seconds')::double precision as rotate_after_seconds,
      (s.rules ->> 'settle_seconds')::double precision as settle_seconds
    from keyspaces s
    where s.rules is not null
      and (s.rules -> 'rotate_after_seconds' is not null or s.rules -> 'settle_seconds' is not null)
    order by s.id`,
};

/*
 * A page is cut from the index before anything is joined to it, so that it costs the same whether none or all of its
 * graces have settled. The rows that have not say only how far the page went.
 */
const settlingStatement = {
  name: 'settling_keys',
  text: `
    select page.key_id, page.retires_at, k.owner_id, k.keyspace_id, n.number, n.first_used_at, n.last_used_at,
      o.number as old_number, o.first_used_at as old_first_used_at, o.last_used_at as old_last_used_at
    from (
      select * from key_versions v
      where v.shard = $1::smallint and v.state = 'grace' and v.retires_at > clock_timestamp()
        and (v.retires_at, v.key_id) > ($2::timestamptz, $3::uuid)
      order by v.retires_at, v.key_id
      limit $4::integer
    ) page
    left join version_uses o on o.shard = page.shard and o.key_id = page.key_id and o.number = page.number
    left join (
      keys k
      join unnest($5::uuid[], $6::double precision[], $7::double precision[])
        as r (keyspace_id, settle_seconds, silent_seconds) on r.keyspace_id = k.keyspace_id
      join version_uses n on n.shard = k.shard and n.key_id = k.id
        and n.first_used_at <= clock_timestamp() - r.settle_seconds * interval '1 second'
    ) on k.shard = page.shard and k.id = page.key_id and k.state <> 'revoked' and n.number = page.number + 1
      and (o.last_used_at is null or o.last_used_at <= clock_timestamp() - r.silent_seconds * interval '1 second')
    order by page.retires_at, page.key_id`,
};

const agingStatement = {
  name: 'aging_keys',
  text: `
    select k.id, k.owner_id, (k.state = 'active' and k.traits -> 'renew_after_ms' is null
      and k.traits -> 'enrollment' is null and (k.expires_at is null or k.expires_at > clock_timestamp())
      and v.minted_at <= clock_timestamp() - $4::double precision * interval '1 second') as due
    from (
      select * from keys p
      where p.shard = $1::smallint and p.keyspace_id = $2::uuid and p.id > $3::uuid
        and p.id < (lpad(to_hex(floor(date_part('epoch', clock_timestamp() - $4::double precision * interval '1 second')
          * 1000)::bigint + 1), 12, '0') || '00000000000000000000')::uuid
      order by p.id
      limit $5::integer
    ) k
    cross join lateral (
      select n.minted_at from key_versions n
      where n.shard = k.shard and n.key_id = k.id
      order by n.number desc
      limit 1
    ) v
    order by k.id`,
};

interface SettlingRow {
  readonly key_id: string;
  readonly retires_at: number;
  /** Null, and all that follows: it has not settled. */
  readonly owner_id: string | null;
  readonly keyspace_id: string;
  readonly number: number;
  readonly first_used_at: number;
  readonly last_used_at: number;
  readonly old_number: number | null;
  readonly old_first_used_at: number | null;
  readonly old_last_used_at: number | null;
}

export async function readRuled(tx: Queryable): Promise<readonly RuledKeyspace[]> {
  const rows = await tx.query<{
    id: string;
    workspace_id: string;
    rotate_after_seconds: number | null;
    settle_seconds: number | null;
  }>(ruledStatement, []);
  return rows.map((row) => ({
    id: idFromUuidText('ks', row.id),
    workspaceId: idFromUuidText('ws', row.workspace_id),
    rotateAfterSeconds: row.rotate_after_seconds,
    settleSeconds: row.settle_seconds,
  }));
}

export async function readSettling(
  tx: Queryable,
  asked: Parameters<RotationsReader['settling']>[0],
): Promise<SettlingPage> {
  const { shard, rules, after, limit } = asked;
  const rows = await tx.query<SettlingRow>(settlingStatement, [
    shard,
    instantText(after?.retiresAtMs ?? 0),
    uuidAfter(after?.id ?? null),
    limit,
    rules.map(({ keyspaceId }) => uuidHexOf(keyspaceId)),
    rules.map(({ settleSeconds }) => settleSeconds),
    rules.map(({ silentSeconds }) => silentSeconds),
  ]);
  const last = rows.length < limit ? undefined : rows.at(-1);
  return {
    looked: rows.length,
    keys: rows.flatMap((row) => {
      if (row.owner_id === null) return [];
      const newUse = { number: row.number, firstUsedMs: row.first_used_at, lastUsedMs: row.last_used_at };
      return {
        id: idFromUuidText('key', row.key_id),
        ownerId: idFromUuidText('own', row.owner_id),
        keyspaceId: idFromUuidText('ks', row.keyspace_id),
        uses: [newUse, ...oldUseOf(row)],
      };
    }),
    last:
      last === undefined ? null : { retiresAtMs: last.retires_at, id: idFromUuidText('key', last.key_id) },
  };
}

export async function readAging(
  tx: Queryable,
  asked: Parameters<RotationsReader['aging']>[0],
): Promise<AgingPage> {
  const { shard, keyspaceId, rotateAfterSeconds, after, limit } = asked;
  const place = [shard, uuidHexOf(keyspaceId), uuidAfter(after), rotateAfterSeconds, limit];
  const rows = await tx.query<{ id: string; owner_id: string; due: boolean }>(agingStatement, place);
  const last = rows.length < limit ? undefined : rows.at(-1);
  return {
    looked: rows.length,
    due: rows
      .filter(({ due }) => due)
      .map((row) => ({ id: idFromUuidText('key', row.id), ownerId: idFromUuidText('own', row.owner_id) })),
    last: last === undefined ? null : idFromUuidText('key', last.id),
  };
}

export function createRotationsReader(store: Queryable): RotationsReader {
  return {
    ruled: () => readRuled(store),
    settling: (asked) => readSettling(store, asked),
    aging: (asked) => readAging(store, asked),
  };
}

function oldUseOf({ old_number: number, old_first_used_at: first, old_last_used_at: last }: SettlingRow) {
  const uses: readonly VersionUse[] =
    number === null || first === null || last === null
      ? []
      : [{ number, firstUsedMs: first, lastUsedMs: last }];
  return uses;
}

function uuidAfter(id: KeyId | null): string {
  return id === null ? firstUuid : uuidHexOf(id);
}
