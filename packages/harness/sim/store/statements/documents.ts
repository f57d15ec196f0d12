import type { JsonObject } from '@keyswarm/core';
import { at, type Params } from '../params.ts';
import { lockName, type SimTransaction } from '../sim-transaction.ts';
import { type DocumentRow, rowName } from '../tables.ts';
import { uniqueViolation } from '../violations.ts';
import type { Handlers, Row } from './handler.ts';

function insert(tx: SimTransaction, given: Params): readonly Row[] {
  const shard = given.number(1);
  const [kinds, workspaces, bodies] = [given.texts(3), given.texts(4), given.jsons(5)];
  const [made, changed, revisions] = [given.instants(6), given.instants(7), given.numbers(8)];
  for (const [index, id] of given.texts(2).entries()) {
    const name = rowName(shard, id);
    if (tx.get(tx.tables.documents, name) !== undefined) throw uniqueViolation('documents_pkey');
    tx.put(tx.tables.documents, name, {
      shard,
      id,
      kind: at(kinds, index) as DocumentRow['kind'],
      workspace_id: at(workspaces, index),
      body: at(bodies, index) as JsonObject,
      created_at: at(made, index),
      updated_at: at(changed, index),
      revision: at(revisions, index),
    });
  }
  return [];
}

function update(tx: SimTransaction, given: Params): readonly Row[] {
  const [bodies, changed] = [given.jsons(3), given.instants(4)];
  const [revisions, expected] = [given.numbers(5), given.numbers(6)];
  return given.texts(2).flatMap((id, index) => {
    const name = rowName(given.number(1), id);
    const row = tx.get(tx.tables.documents, name);
    if (row === undefined || row.revision !== at(expected, index)) return [];
    const body = at(bodies, index) as JsonObject;
    tx.put(tx.tables.documents, name, {
      ...row,
      body,
      updated_at: at(changed, index),
      revision: at(revisions, index),
    });
    return [{ id }];
  });
}

function list(isMeant: (row: DocumentRow, given: Params) => boolean) {
  return {
    run: (tx: SimTransaction, given: Params): readonly Row[] =>
      [...tx.scan(tx.tables.documents)]
        .map(([, row]) => row)
        .filter((row) => row.kind === given.text(2) && row.id > given.text(3) && isMeant(row, given))
        .sort((a, b) => (a.id < b.id ? -1 : 1))
        .slice(0, given.number(4)),
  };
}

const namesOf = (given: Params): readonly string[] =>
  [...given.texts(2)].sort().map((id) => rowName(given.number(1), id));

export const documentHandlers: Handlers = {
  lock_documents: {
    locks: (tx, given) =>
      namesOf(given)
        .filter((name) => tx.get(tx.tables.documents, name) !== undefined)
        .map((name) => lockName(tx.tables.documents, name)),
    run: (tx, given) => namesOf(given).flatMap((name) => tx.get(tx.tables.documents, name) ?? []),
  },
  insert_documents: {
    locks: (tx, given) => namesOf(given).map((name) => lockName(tx.tables.documents, name)),
    run: insert,
  },
  update_documents: {
    locks: (tx, given) => namesOf(given).map((name) => lockName(tx.tables.documents, name)),
    run: update,
  },
  read_document: {
    run(tx, given) {
      const row = tx.get(tx.tables.documents, rowName(given.number(1), given.text(2)));
      return row?.kind === given.text(3) ? [row] : [];
    },
  },
  list_documents: list(() => true),
  list_documents_of_workspace: list((row, given) => row.workspace_id === given.text(5)),
  list_documents_by_state: list((row, given) => row.body.state === given.text(5)),
  list_documents_of_workspace_by_state: list(
    (row, given) => row.workspace_id === given.text(5) && row.body.state === given.text(6),
  ),
};
