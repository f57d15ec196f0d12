import { type OwnerId, type OwnerKind, type OwnerRecord, uuidHexOf, type WorkspaceId } from '@keyswarm/core';
import type { Queryable, Statement } from '../store.ts';
import { type OwnerRow, ownerColumns, ownerRecordOf } from './record-rows.ts';
import { firstUuid } from './snapshot-pages.ts';

/** One index range a shard, read as far as the page is long, then the first of all. */
function listStatement(name: string, where: string): Statement {
  return {
    name,
    text: `
    select ${ownerColumns}
    from generate_series(0, $1::integer - 1) as s (shard)
    cross join lateral (
      select * from owners o
      where o.shard = s.shard::smallint and o.workspace_id = $2::uuid and o.id > $3::uuid
        and ($5::text is null or o.kind = $5::text) and ${where}
      order by o.id
      limit $4::integer
    ) o
    order by o.id
    limit $4::integer`,
  };
}

const listOwnersStatement = listStatement('list_owners', 'true');
const listByExternalId = listStatement('list_owners_by_external_id', 'o.external_id = $6::text');

export interface OwnerList {
  readonly workspaceId: WorkspaceId;
  readonly kind: OwnerKind | undefined;
  readonly externalId: string | undefined;
  readonly after: OwnerId | undefined;
  readonly limit: number;
}

export async function listOwners(
  tx: Queryable,
  list: OwnerList,
  shards: number,
): Promise<readonly OwnerRecord[]> {
  const params = [
    shards,
    uuidHexOf(list.workspaceId),
    list.after === undefined ? firstUuid : uuidHexOf(list.after),
    list.limit,
    list.kind ?? null,
  ];
  const { externalId } = list;
  const rows = await (externalId === undefined
    ? tx.query<OwnerRow>(listOwnersStatement, params)
    : tx.query<OwnerRow>(listByExternalId, [...params, externalId]));
  return rows.map(ownerRecordOf);
}
