import type { Queryable, Statement } from '../store.ts';

/*
 * A snapshot in pages, each one text with a line a row. A million keys of twelve columns are twelve million values
 * that the driver would decode one by one and wrap in objects; as lines they arrive as a few hundred strings.
 *
 * A page is a range of ids over all shards, not a part of one shard: ids of keys begin with the time they were
 * made, so the keys of a range lie together on disk whatever their shards are. Rejected: shard by shard, which
 * reads every page of the table once for each shard.
 *
 * Fields are separated by a space and none of them holds one, but for the last of an owner, its external id, and of a
 * key, its traits: JSON, which holds no raw line break. `-` stands for null. Times are Unix milliseconds.
 */

/** Exclusive start, inclusive end. */
export interface IdRange {
  readonly after: string;
  readonly upTo: string;
}

/** Before every id, and behind every id. */
export const firstUuid = '00000000-0000-0000-0000-000000000000';
export const lastUuid = 'ffffffff-ffff-ffff-ffff-ffffffffffff';

export type SnapshotTable = 'keys' | 'owners' | 'keyspaces';

const ms = (column: string): string =>
  `coalesce(round(date_part('epoch', ${column}) * 1000)::bigint::text, '-')`;

const fieldsOf: Readonly<Record<SnapshotTable, readonly string[]>> = {
  keys: [
    'r.id',
    'r.revision',
    'r.keyspace_id',
    'r.owner_id',
    'r.state',
    ms('r.not_before'),
    ms('r.expires_at'),
    "array_to_string(r.scopes, ',')",
    "coalesce(r.traits::text, '-')",
  ],
  owners: [
    'r.id',
    'r.revision',
    'r.kind',
    'r.state',
    ms('r.keys_not_before'),
    'to_json(r.external_id)::text',
  ],
  keyspaces: [
    'r.id',
    'r.workspace_id',
    'r.revision',
    'r.name',
    'r.state',
    'r.lease_seconds',
    ms('r.keys_not_before'),
    "coalesce(r.rules ->> 'proof', '-')",
  ],
};

/** `offset 0` keeps the planner from turning the shards' index ranges into a scan of the whole table. */
function linesOf(name: string, from: { table: string; id: string }, fields: readonly string[]): Statement {
  return {
    name,
    text: `
    select string_agg(concat_ws(' ', ${fields.join(', ')}), E'\\n') as lines
    from generate_series(0, $1::integer - 1) as s (shard)
    cross join lateral (
      select * from ${from.table} t
      where t.shard = s.shard::smallint and t.${from.id} > $2::uuid and t.${from.id} <= $3::uuid
      offset 0
    ) r`,
  };
}

/** The end of the next range: the id that is so many rows ahead in the shard where that is the nearest. */
function endOf(table: SnapshotTable): Statement {
  return {
    name: `snapshot_end_${table}`,
    text: `
    select t.id
    from generate_series(0, $1::integer - 1) as s (shard)
    cross join lateral (
      select t.id from ${table} t
      where t.shard = s.shard::smallint and t.id > $2::uuid
      order by t.id
      offset $3::integer
      limit 1
    ) t
    order by t.id
    limit 1`,
  };
}

const ends = { keys: endOf('keys'), owners: endOf('owners'), keyspaces: endOf('keyspaces') };
const pages = {
  keys: linesOf('snapshot_keys', { table: 'keys', id: 'id' }, fieldsOf.keys),
  owners: linesOf('snapshot_owners', { table: 'owners', id: 'id' }, fieldsOf.owners),
  keyspaces: linesOf('snapshot_keyspaces', { table: 'keyspaces', id: 'id' }, fieldsOf.keyspaces),
};
const versions = linesOf('snapshot_versions', { table: 'key_versions', id: 'key_id' }, [
  'r.key_id',
  'r.number',
  "encode(substr(r.fingerprint, 1, 16), 'hex')",
  'r.state',
  ms('r.minted_at'),
  ms('r.retires_at'),
]);

/** Where the range after `after` should end, so that it holds about `rows` rows of all shards, and never more. */
export async function endOfRange(
  tx: Queryable,
  table: SnapshotTable,
  want: { readonly after: string; readonly rows: number; readonly shards: number },
): Promise<string> {
  const ahead = Math.max(0, Math.floor(want.rows / want.shards) - 1);
  const found = await tx.query<{ id: string }>(ends[table], [want.shards, want.after, ahead]);
  return found[0]?.id ?? lastUuid;
}

/** In no particular order. */
export function readLines(
  tx: Queryable,
  table: SnapshotTable,
  range: IdRange,
  shards: number,
): Promise<readonly string[]> {
  return query(tx, pages[table], range, shards);
}

/** Of all keys of the range, in no particular order. */
export function readVersionLines(tx: Queryable, range: IdRange, shards: number): Promise<readonly string[]> {
  return query(tx, versions, range, shards);
}

async function query(
  tx: Queryable,
  statement: Statement,
  range: IdRange,
  shards: number,
): Promise<readonly string[]> {
  const rows = await tx.query<{ lines: string | null }>(statement, [shards, range.after, range.upTo]);
  return rows[0]?.lines?.split('\n') ?? [];
}
