import { idFromUuidText, type KeyId, uuidHexOf, type VersionUse } from '@keyswarm/core';
import type { AgingPage, RotationsReader, RuledKeyspace, SettlingKey } from '../rotations-port.ts';
import type { Queryable } from '../store.ts';
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

const settlingStatement = {
  name: 'settling_keys',
  text: `
    select k.id, k.owner_id, n.number, n.first_used_at, n.last_used_at,
      o.number as old_number, o.first_used_at as old_first_used_at, o.last_used_at as old_last_used_at
    from key_versions v
    join keys k on k.shard = v.shard and k.id = v.key_id and k.keyspace_id = $2::uuid and k.state <> 'revoked'
    join version_uses n on n.shard = v.shard and n.key_id = v.key_id and n.number = v.number + 1
    left join version_uses o on o.shard = v.shard and o.key_id = v.key_id and o.number = v.number
    where v.shard = $1::smallint and v.state = 'grace' and v.retires_at > clock_timestamp() and k.id > $5::uuid
      and n.first_used_at <= clock_timestamp() - $3::double precision * interval '1 second'
      and (o.last_used_at is null
        or o.last_used_at <= clock_timestamp() - $4::double precision * interval '1 second')
    order by k.id
    limit $6::integer`,
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
  readonly id: string;
  readonly owner_id: string;
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
): Promise<readonly SettlingKey[]> {
  const { shard, keyspaceId, settleSeconds, silentSeconds, after, limit } = asked;
  const place = [shard, uuidHexOf(keyspaceId), settleSeconds, silentSeconds, uuidAfter(after), limit];
  const rows = await tx.query<SettlingRow>(settlingStatement, place);
  return rows.map((row) => ({
    id: idFromUuidText('key', row.id),
    ownerId: idFromUuidText('own', row.owner_id),
    uses: [
      { number: row.number, firstUsedMs: row.first_used_at, lastUsedMs: row.last_used_at },
      ...oldUseOf(row),
    ],
  }));
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
