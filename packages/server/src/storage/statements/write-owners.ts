import { type OwnerRecord, shardOfId, uuidHexOf } from '@keyswarm/core';
import type { Queryable } from '../store.ts';
import { instantText, instantTextOrNull } from './instant-text.ts';

const columns = 'shard, id, workspace_id, kind, external_id, state, keys_not_before, created_at, revision';

const source = `
    select o.shard, o.id, o.workspace_id, o.kind, o.external_id, o.state,
      o.keys_not_before, o.created_at, o.revision
    from unnest($1::smallint[], $2::uuid[], $3::uuid[], $4::text[], $5::text[], $6::text[], $7::timestamptz[],
      $8::timestamptz[], $9::integer[]) as o (shard, id, workspace_id, kind, external_id, state, keys_not_before,
      created_at, revision)
    order by o.shard, o.id`;

const insertOwnersStatement = {
  name: 'insert_owners',
  text: `insert into owners (${columns}) ${source}`,
};

const insertOwnersUnlessKnownStatement = {
  name: 'insert_owners_unless_known',
  text: `insert into owners (${columns}) ${source} on conflict on constraint owners_pkey do nothing`,
};

const updateOwnersStatement = {
  name: 'update_owners',
  text: `
    update owners o
    set state = n.state, keys_not_before = n.keys_not_before, revision = n.revision
    from unnest($1::smallint[], $2::uuid[], $3::text[], $4::timestamptz[], $5::integer[], $6::integer[])
      as n (shard, id, state, keys_not_before, revision, expected)
    where o.shard = n.shard and o.id = n.id and o.revision = n.expected
    returning o.id`,
};

export async function insertOwners(
  tx: Queryable,
  owners: readonly OwnerRecord[],
  shards: number,
): Promise<void> {
  await tx.query(insertOwnersStatement, paramsOf(owners, shards));
}

/** Sorted by id, so that two writers which meet the same new owners wait for each other in one order. */
export async function insertOwnersUnlessKnown(
  tx: Queryable,
  owners: readonly OwnerRecord[],
  shards: number,
): Promise<void> {
  await tx.query(insertOwnersUnlessKnownStatement, paramsOf(owners, shards));
}

export interface OwnerUpdate {
  readonly after: OwnerRecord;
  /** The revision it was read at; the row is left alone if it has another by now. */
  readonly expected: number;
}

/** How many rows were still as they were read, and are changed now. */
export async function updateOwners(
  tx: Queryable,
  updates: readonly OwnerUpdate[],
  shards: number,
): Promise<number> {
  const rows = await tx.query(updateOwnersStatement, [
    updates.map(({ after }) => shardOfId(after.id, shards)),
    updates.map(({ after }) => uuidHexOf(after.id)),
    updates.map(({ after }) => after.state),
    updates.map(({ after }) => instantTextOrNull(after.keysNotBeforeMs)),
    updates.map(({ after }) => after.revision),
    updates.map(({ expected }) => expected),
  ]);
  return rows.length;
}

function paramsOf(owners: readonly OwnerRecord[], shards: number): readonly unknown[] {
  return [
    owners.map((owner) => shardOfId(owner.id, shards)),
    owners.map((owner) => uuidHexOf(owner.id)),
    owners.map((owner) => uuidHexOf(owner.workspaceId)),
    owners.map((owner) => owner.kind),
    owners.map((owner) => owner.externalId),
    owners.map((owner) => owner.state),
    owners.map((owner) => instantTextOrNull(owner.keysNotBeforeMs)),
    owners.map((owner) => instantText(owner.createdAtMs)),
    owners.map((owner) => owner.revision),
  ];
}
