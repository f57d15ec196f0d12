import type { Queryable, Statement } from '../store.ts';

/*
 * Pages of a snapshot, as one text with a line a row. A million rows of twelve columns are twelve million values
 * that the driver would decode one by one and wrap in objects; as lines they arrive as a few hundred strings.
 * Measured on two cores, PostgreSQL on the same machine, 1,000,000 keys: see `feed/load-snapshot.ts`.
 *
 * Fields are separated by a space and none of them holds one, but for the last of an owner: its external id, as
 * JSON, which holds no raw line break. `-` stands for null. Times are Unix milliseconds.
 */

const ms = (column: string): string =>
  `coalesce(round(date_part('epoch', ${column}) * 1000)::bigint::text, '-')`;

function pageOf(name: string, table: string, where: string, fields: readonly string[]): Statement {
  return {
    name,
    text: `
    select string_agg(concat_ws(' ', ${fields.join(', ')}), E'\\n' order by r.id) as lines
    from (
      select * from ${table}
      where shard = $1::smallint and ${where}
      order by id
      limit $3::integer
    ) r`,
  };
}

const keysPage = pageOf('snapshot_keys', 'keys', 'id > $2::uuid', [
  'r.id',
  'r.revision',
  'r.keyspace_id',
  'r.owner_id',
  'r.state',
  ms('r.not_before'),
  ms('r.expires_at'),
  "array_to_string(r.scopes, ',')",
]);

const ownersPage = pageOf('snapshot_owners', 'owners', 'id > $2::uuid', [
  'r.id',
  'r.revision',
  'r.kind',
  'r.state',
  ms('r.keys_not_before'),
  'to_json(r.external_id)::text',
]);

const keyspacesPage = pageOf('snapshot_keyspaces', 'keyspaces', 'id > $2::uuid', [
  'r.id',
  'r.workspace_id',
  'r.revision',
  'r.name',
  'r.state',
  'r.lease_seconds',
  ms('r.keys_not_before'),
]);

/** The newest version of a key comes first, so that a reader can stop after the third. */
const versionsOfKeys: Statement = {
  name: 'snapshot_versions',
  text: `
    select string_agg(
      concat_ws(' ', v.key_id, v.number, encode(substr(v.fingerprint, 1, 16), 'hex'), v.state,
        ${ms('v.minted_at')}, ${ms('v.retires_at')}),
      E'\\n' order by v.key_id, v.number desc) as lines
    from key_versions v
    where v.shard = $1::smallint and v.key_id > $2::uuid and v.key_id <= $3::uuid`,
};

export interface SnapshotPage {
  readonly shard: number;
  /** Exclusive; the nil UUID for the first page. */
  readonly after: string;
  readonly limit: number;
}

type Lines = readonly string[];

export const snapshotKeys = (tx: Queryable, page: SnapshotPage): Promise<Lines> => read(tx, keysPage, page);
export const snapshotOwners = (tx: Queryable, page: SnapshotPage): Promise<Lines> =>
  read(tx, ownersPage, page);
export const snapshotKeyspaces = (tx: Queryable, page: SnapshotPage): Promise<Lines> =>
  read(tx, keyspacesPage, page);

/** The versions of the keys after `after`, up to and with `last`. */
export async function snapshotVersions(
  tx: Queryable,
  range: { readonly shard: number; readonly after: string; readonly last: string },
): Promise<Lines> {
  return linesOf(await tx.query<LinesRow>(versionsOfKeys, [range.shard, range.after, range.last]));
}

interface LinesRow {
  readonly lines: string | null;
}

async function read(tx: Queryable, statement: Statement, page: SnapshotPage): Promise<Lines> {
  return linesOf(await tx.query<LinesRow>(statement, [page.shard, page.after, page.limit]));
}

function linesOf(rows: readonly LinesRow[]): Lines {
  const lines = rows[0]?.lines;
  return lines === null || lines === undefined ? [] : lines.split('\n');
}

/** Before every id: no id is the nil UUID, because it has a version. */
export const nilUuid = '00000000-0000-0000-0000-000000000000';
