import {
  type DocumentId,
  type DocumentKind,
  type DocumentRecord,
  documentKindOf,
  idFromUuidText,
  type JsonObject,
  shardOfId,
  uuidHexOf,
  type WorkspaceId,
} from '@keyswarm/core';
import type { Queryable, Statement } from '../store.ts';
import { instantText } from './instant-text.ts';
import { firstUuid } from './snapshot-pages.ts';

/* Documents: written by the lanes in the transaction of what they go with, read by whoever lists them. */

const columns = 'd.id, d.kind, d.workspace_id, d.body, d.created_at, d.updated_at, d.revision';

interface DocumentRow {
  readonly id: string;
  readonly kind: DocumentKind;
  readonly workspace_id: string;
  readonly body: JsonObject;
  readonly created_at: number;
  readonly updated_at: number;
  readonly revision: number;
}

const lockDocumentsStatement = {
  name: 'lock_documents',
  text: `
    select ${columns}
    from documents d
    where d.shard = $1::smallint and d.id = any($2::uuid[])
    order by d.id
    for update`,
};

/** Documents of one shard, locked in the order of their ids. */
export async function lockDocuments(
  tx: Queryable,
  shard: number,
  ids: readonly DocumentId[],
): Promise<readonly DocumentRecord[]> {
  const rows = await tx.query<DocumentRow>(lockDocumentsStatement, [shard, ids.map(uuidHexOf)]);
  return rows.map(recordOf);
}

const insertDocumentsStatement = {
  name: 'insert_documents',
  text: `
    insert into documents (shard, id, kind, workspace_id, body, created_at, updated_at, revision)
    select $1::smallint, d.id, d.kind, d.workspace_id, d.body, d.created_at, d.updated_at, d.revision
    from unnest($2::uuid[], $3::text[], $4::uuid[], $5::jsonb[], $6::timestamptz[], $7::timestamptz[],
      $8::integer[]) as d (id, kind, workspace_id, body, created_at, updated_at, revision)`,
};

/** Inserts documents that were not there; one that is there is a unique violation. */
export async function insertDocuments(
  tx: Queryable,
  shard: number,
  documents: readonly DocumentRecord[],
): Promise<void> {
  await tx.query(insertDocumentsStatement, [
    shard,
    documents.map(({ id }) => uuidHexOf(id)),
    documents.map(({ id }) => documentKindOf(id)),
    documents.map(({ workspaceId }) => uuidHexOf(workspaceId)),
    documents.map(({ body }) => JSON.stringify(body)),
    documents.map(({ createdAtMs }) => instantText(createdAtMs)),
    documents.map(({ updatedAtMs }) => instantText(updatedAtMs)),
    documents.map(({ revision }) => revision),
  ]);
}

const updateDocumentsStatement = {
  name: 'update_documents',
  text: `
    update documents d
    set body = n.body, updated_at = n.updated_at, revision = n.revision
    from unnest($2::uuid[], $3::jsonb[], $4::timestamptz[], $5::integer[], $6::integer[])
      as n (id, body, updated_at, revision, expected)
    where d.shard = $1::smallint and d.id = n.id and d.revision = n.expected
    returning d.id`,
};

export interface DocumentUpdate {
  readonly after: DocumentRecord;
  readonly before: DocumentRecord;
}

/** How many were still as they were read, and are changed now. */
export async function updateDocuments(
  tx: Queryable,
  shard: number,
  updates: readonly DocumentUpdate[],
): Promise<number> {
  const rows = await tx.query(updateDocumentsStatement, [
    shard,
    updates.map(({ after }) => uuidHexOf(after.id)),
    updates.map(({ after }) => JSON.stringify(after.body)),
    updates.map(({ after }) => instantText(after.updatedAtMs)),
    updates.map(({ after }) => after.revision),
    updates.map(({ before }) => before.revision),
  ]);
  return rows.length;
}

const readDocumentStatement = {
  name: 'read_document',
  text: `select ${columns} from documents d where d.shard = $1::smallint and d.id = $2::uuid and d.kind = $3::text`,
};

export async function readDocument(
  tx: Queryable,
  id: DocumentId,
  shards: number,
): Promise<DocumentRecord | undefined> {
  const params = [shardOfId(id, shards), uuidHexOf(id), documentKindOf(id)];
  const row = (await tx.query<DocumentRow>(readDocumentStatement, params))[0];
  return row && recordOf(row);
}

export interface DocumentList {
  readonly kind: DocumentKind;
  /** Absent: of every workspace, for what the house does by itself. */
  readonly workspaceId?: WorkspaceId | undefined;
  /** Only those whose body says this `state`. */
  readonly state?: string | undefined;
  readonly after?: DocumentId | undefined;
  readonly limit: number;
}

/** Each way to ask has a statement of its own, so that each is planned for its own index. */
function listStatement(name: string, where: string): Statement {
  return {
    name,
    text: `
    select ${columns}
    from generate_series(0, $1::integer - 1) as s (shard)
    cross join lateral (
      select * from documents d
      where d.shard = s.shard::smallint and d.kind = $2::text and d.id > $3::uuid and ${where}
      order by d.id
      limit $4::integer
    ) d
    order by d.id
    limit $4::integer`,
  };
}

const lists = {
  all: listStatement('list_documents', 'true'),
  workspace: listStatement('list_documents_of_workspace', 'd.workspace_id = $5::uuid'),
  state: listStatement('list_documents_by_state', "d.body ->> 'state' = $5::text"),
  both: listStatement(
    'list_documents_of_workspace_by_state',
    "d.workspace_id = $5::uuid and d.body ->> 'state' = $6::text",
  ),
};

/** Ascending by id, which for most kinds is by the time they were made. */
export async function listDocuments(
  tx: Queryable,
  list: DocumentList,
  shards: number,
): Promise<readonly DocumentRecord[]> {
  const { kind, workspaceId, state, after, limit } = list;
  const from = after === undefined ? firstUuid : uuidHexOf(after);
  const workspace = workspaceId === undefined ? [] : [uuidHexOf(workspaceId)];
  const wanted = [...workspace, ...(state === undefined ? [] : [state])];
  const statement =
    workspaceId === undefined
      ? lists[state === undefined ? 'all' : 'state']
      : lists[state === undefined ? 'workspace' : 'both'];
  const rows = await tx.query<DocumentRow>(statement, [shards, kind, from, limit, ...wanted]);
  return rows.map(recordOf);
}

function recordOf(row: DocumentRow): DocumentRecord {
  return {
    id: idFromUuidText(row.kind, row.id),
    workspaceId: idFromUuidText('ws', row.workspace_id),
    body: row.body,
    createdAtMs: row.created_at,
    updatedAtMs: row.updated_at,
    revision: row.revision,
  };
}
