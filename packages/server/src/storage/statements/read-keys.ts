import {
  assert,
  bytesOfHex,
  type KeyId,
  type KeyRecord,
  type KeyState,
  type KeyspaceId,
  type KeyVersion,
  type OwnerId,
  shardOfId,
  underKeyspace,
  underOwner,
  uuidHexOf,
  type VersionState,
  type WorkspaceId,
} from '@keyswarm/core';
import type { Queryable, Statement } from '../store.ts';
import { instantText } from './instant-text.ts';
import { type KeyRow, keyColumns, keyRecordOf } from './record-rows.ts';
import { firstUuid } from './snapshot-pages.ts';

/*
 * Keys without a lock. Here the versions have to come in the same statement: two statements outside a
 * transaction see two states, and a key could come with the versions of its next rotation.
 */

const ms = (column: string): string => `round(date_part('epoch', ${column}) * 1000)`;

/** The newest versions of `k`, ascending, as one JSON value. */
const versionsOfKey = `(
      select json_agg(json_build_array(v.number, encode(v.fingerprint, 'hex'), v.state, ${ms('v.minted_at')},
        ${ms('v.retires_at')}) order by v.number)
      from (
        select * from key_versions n
        where n.shard = k.shard and n.key_id = k.id
        order by n.number desc
        limit 3
      ) v
    ) as versions`;

/** An owner's shard is the last byte of its id modulo the shards, as everywhere. */
const ownerOfKey = (shards: string): string => `
        select o.keys_not_before from owners o
        where o.id = k.owner_id
          and o.shard = (('x' || right(k.owner_id::text, 2))::bit(8)::integer % ${shards})::smallint`;

const keyspaceOfKey = (shards: string): string => `
        select s.keys_not_before from keyspaces s
        where s.id = k.keyspace_id
          and s.shard = (('x' || right(k.keyspace_id::text, 2))::bit(8)::integer % ${shards})::smallint`;

const watermarksOfKey = (shards: string): string => `(${ownerOfKey(shards)}
    ) as owner_keys_not_before, (${keyspaceOfKey(shards)}
    ) as keyspace_keys_not_before`;

const readKeyStatement = {
  name: 'read_key',
  text: `
    select ${keyColumns}, ${versionsOfKey}, ${watermarksOfKey('$4::integer')}
    from keys k
    where k.shard = $1::smallint and k.id = $2::uuid and k.workspace_id = $3::uuid`,
};

/** As `keyStateAt` has it of what the watermarks leave; SQL and core are compared by a test. */
const stateAt = (now: string): string => `
          case
            when k.state = 'revoked' then 'revoked'
            when greatest((${ownerOfKey('$1::integer')}), (${keyspaceOfKey('$1::integer')})) >= (
              select max(n.minted_at) from key_versions n where n.shard = k.shard and n.key_id = k.id
            ) then 'revoked'
            when k.expires_at <= ${now} then 'expired'
            when k.state = 'suspended' then 'suspended'
            when k.not_before > ${now} then 'pending'
            else 'active'
          end`;

/**
 * One index range a shard, each read only as far as the page is long, then the first `limit` of all: a page costs
 * shards x limit index entries however many keys there are. Only a filter by state looks through more, because
 * states that follow from the clock can't be indexed.
 */
function listStatement(name: string, where: string): Statement {
  return {
    name,
    text: `
    with page as (
      select k.*
      from generate_series(0, $1::integer - 1) as s (shard)
      cross join lateral (
        select * from keys k
        where k.shard = s.shard::smallint and ${where} and k.id > $3::uuid
          and ($5::text is null or $5::text = ${stateAt('$6::timestamptz')})
        order by k.id
        limit $4::integer
      ) k
      order by k.id
      limit $4::integer
    )
    select ${keyColumns}, ${versionsOfKey}, ${watermarksOfKey('$1::integer')}
    from page k
    order by k.id`,
  };
}

const inWorkspace = 'k.workspace_id = $2::uuid';
const lists = {
  all: listStatement('list_keys', inWorkspace),
  keyspace: listStatement('list_keys_of_keyspace', `k.keyspace_id = $7::uuid and ${inWorkspace}`),
  owner: listStatement('list_keys_of_owner', `k.owner_id = $7::uuid and ${inWorkspace}`),
  enrolled: listStatement(
    'list_keys_enrolled',
    `k.traits ->> 'enrolled_by' = $7::text and ($8::uuid is null or k.owner_id = $8::uuid)
          and ($9::uuid is null or k.keyspace_id = $9::uuid) and ${inWorkspace}`,
  ),
  both: listStatement(
    'list_keys_of_owner_in_keyspace',
    `k.owner_id = $7::uuid and k.keyspace_id = $8::uuid and ${inWorkspace}`,
  ),
};

export async function readKey(
  tx: Queryable,
  workspaceId: WorkspaceId,
  id: KeyId,
  shards: number,
): Promise<KeyRecord | undefined> {
  const params = [shardOfId(id, shards), uuidHexOf(id), uuidHexOf(workspaceId), shards];
  const row = (await tx.query<KeyWithVersions>(readKeyStatement, params))[0];
  return row && keyOf(row);
}

export interface KeyList {
  readonly workspaceId: WorkspaceId;
  readonly keyspaceId: KeyspaceId | undefined;
  readonly ownerId: OwnerId | undefined;
  readonly enrolledBy?: KeyId | undefined;
  readonly state: KeyState | undefined;
  readonly after: KeyId | undefined;
  readonly limit: number;
  readonly nowMs: number;
}

export async function listKeys(tx: Queryable, list: KeyList, shards: number): Promise<readonly KeyRecord[]> {
  const { statement, ids } = choose(list);
  const rows = await tx.query<KeyWithVersions>(statement, [
    shards,
    uuidHexOf(list.workspaceId),
    list.after === undefined ? firstUuid : uuidHexOf(list.after),
    list.limit,
    list.state ?? null,
    instantText(list.nowMs),
    ...ids,
  ]);
  return rows.map(keyOf);
}

function choose(list: KeyList): {
  readonly statement: Statement;
  readonly ids: readonly (string | null)[];
} {
  const { keyspaceId, ownerId, enrolledBy } = list;
  if (enrolledBy !== undefined) {
    const hexOrNull = (id: OwnerId | KeyspaceId | undefined) => (id === undefined ? null : uuidHexOf(id));
    return { statement: lists.enrolled, ids: [enrolledBy, hexOrNull(ownerId), hexOrNull(keyspaceId)] };
  }
  if (ownerId !== undefined && keyspaceId !== undefined) {
    return { statement: lists.both, ids: [uuidHexOf(ownerId), uuidHexOf(keyspaceId)] };
  }
  if (ownerId !== undefined) return { statement: lists.owner, ids: [uuidHexOf(ownerId)] };
  if (keyspaceId !== undefined) return { statement: lists.keyspace, ids: [uuidHexOf(keyspaceId)] };
  return { statement: lists.all, ids: [] };
}

type VersionCells = readonly [
  number: number,
  fingerprintHex: string,
  state: VersionState,
  mintedAtMs: number,
  retiresAtMs: number | null,
];

interface KeyWithVersions extends KeyRow {
  readonly versions: readonly VersionCells[] | null;
  readonly owner_keys_not_before: number | null;
  readonly keyspace_keys_not_before: number | null;
}

function keyOf(row: KeyWithVersions): KeyRecord {
  const key = keyRecordOf(row, (row.versions ?? []).map(versionOf));
  return underKeyspace(underOwner(key, row.owner_keys_not_before), row.keyspace_keys_not_before);
}

function versionOf([number, fingerprintHex, state, mintedAtMs, retiresAtMs]: VersionCells): KeyVersion {
  const fingerprint = bytesOfHex(fingerprintHex, 32);
  assert(fingerprint !== undefined, 'a version has a fingerprint');
  return { number, fingerprint, state, mintedAtMs, retiresAtMs };
}
