import {
  type DeadLetterId,
  idFromUuidText,
  type JsonObject,
  shardOfId,
  uuidHexOf,
  type WorkspaceId,
} from '@keyswarm/core';
import type { DeadLetter, DeadLetterKind } from '../dead-letter-port.ts';
import type { Queryable } from '../store.ts';
import { instantText } from './instant-text.ts';
import { firstUuid } from './snapshot-pages.ts';

const columns = 'id, workspace_id, kind, source, body, reason, attempts, died_at';

interface DeadLetterRow {
  readonly id: string;
  readonly workspace_id: string;
  readonly kind: DeadLetterKind;
  readonly source: string;
  readonly body: JsonObject;
  readonly reason: string;
  readonly attempts: number;
  readonly died_at: number;
}

const insertStatement = {
  name: 'insert_dead_letter',
  text: `
    insert into dead_letters (shard, ${columns})
    values ($1::smallint, $2::uuid, $3::uuid, $4::text, $5::text, $6::json, $7::text, $8::integer, $9::timestamptz)
    on conflict on constraint dead_letters_pkey do nothing`,
};

/** Does nothing where one with this id is there: whoever tells of it twice tells of the same. */
export async function insertDeadLetter(tx: Queryable, letter: DeadLetter, shards: number): Promise<void> {
  await tx.query(insertStatement, [
    shardOfId(letter.id, shards),
    uuidHexOf(letter.id),
    uuidHexOf(letter.workspaceId),
    letter.kind,
    letter.source,
    JSON.stringify(letter.body),
    letter.reason,
    letter.attempts,
    instantText(letter.diedAtMs),
  ]);
}

const readStatement = {
  name: 'read_dead_letter',
  text: `select ${columns} from dead_letters where shard = $1::smallint and id = $2::uuid`,
};

export async function readDeadLetter(
  tx: Queryable,
  id: DeadLetterId,
  shards: number,
): Promise<DeadLetter | undefined> {
  const rows = await tx.query<DeadLetterRow>(readStatement, [shardOfId(id, shards), uuidHexOf(id)]);
  return rows[0] && letterOf(rows[0]);
}

const listStatement = {
  name: 'list_dead_letters',
  text: `
    select l.*
    from generate_series(0, $1::integer - 1) as s (shard)
    cross join lateral (
      select ${columns} from dead_letters
      where shard = s.shard::smallint and workspace_id = $2::uuid and id > $3::uuid
      order by id
      limit $4::integer
    ) l
    order by l.id
    limit $4::integer`,
};

/** Ascending by id. */
export async function listDeadLetters(
  tx: Queryable,
  list: {
    readonly workspaceId: WorkspaceId;
    readonly after?: DeadLetterId | undefined;
    readonly limit: number;
  },
  shards: number,
): Promise<readonly DeadLetter[]> {
  const { workspaceId, after, limit } = list;
  const from = after === undefined ? firstUuid : uuidHexOf(after);
  const rows = await tx.query<DeadLetterRow>(listStatement, [shards, uuidHexOf(workspaceId), from, limit]);
  return rows.map(letterOf);
}

const deleteStatement = {
  name: 'delete_dead_letter',
  text: 'delete from dead_letters where shard = $1::smallint and id = $2::uuid returning 1 as deleted',
};

/** Was it there? */
export async function deleteDeadLetter(tx: Queryable, id: DeadLetterId, shards: number): Promise<boolean> {
  return (await tx.query(deleteStatement, [shardOfId(id, shards), uuidHexOf(id)])).length > 0;
}

function letterOf(row: DeadLetterRow): DeadLetter {
  return {
    id: idFromUuidText('dl', row.id),
    workspaceId: idFromUuidText('ws', row.workspace_id),
    kind: row.kind,
    source: row.source,
    body: row.body,
    reason: row.reason,
    attempts: row.attempts,
    diedAtMs: row.died_at,
  };
}
