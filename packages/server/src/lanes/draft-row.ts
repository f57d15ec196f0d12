import {
  assert,
  type DocumentId,
  type DocumentRecord,
  decodeFeedRow,
  decodeSigningKey,
  documentKindOf,
  encodeFeedRow,
  type FeedRow,
  isBadRow,
  type JsonObject,
  keyFactOf,
  keyspaceFactOf,
  type NoteId,
  ownerFactOf,
  parseId,
  type SubjectId,
  signingKeyFactOf,
} from '@keyswarm/core';
import type { BatchView } from './batch-view.ts';
import type { Actor, Change } from './lane-port.ts';

/** A feed row that has no number yet: `row.epoch` and `row.seq` are placeholders. */
export interface DraftRow {
  readonly row: FeedRow;
  readonly encoded: JsonObject;
  readonly actor: Actor;
  /** Of the thing that changed, after the change. */
  readonly revision: number;
}

/**
 * The row of one change. It is read back as a follower would read it: a row that followers refuse would stop
 * its shard everywhere, so the write that makes one is refused instead.
 */
export function draftRow(
  change: Change,
  view: BatchView,
  context: { readonly shard: number; readonly nowMs: number; readonly actor: Actor },
): DraftRow {
  const row: FeedRow = {
    epoch: 0,
    shard: context.shard,
    seq: 1,
    type: change.event,
    atMs: context.nowMs,
    workspaceId: change.after.workspaceId,
    subject: subjectOf(change),
    ...factsOf(change, view),
    data: change.data,
  };
  const encoded = encodeFeedRow(row);
  const decoded = decodeFeedRow(encoded);
  assert(!isBadRow(decoded), 'a follower can read every row that is written');
  return { row, encoded, actor: context.actor, revision: change.after.revision };
}

function subjectOf(change: Change): SubjectId {
  if (change.kind !== 'document') return change.after.id;
  const { id } = change.after;
  assert(!isNoteId(id), 'what the house notes for itself is no event');
  return id;
}

function isNoteId(id: DocumentId): id is NoteId {
  return documentKindOf(id) === 'note';
}

function factsOf(
  change: Change,
  view: BatchView,
): Pick<FeedRow, 'key' | 'owner' | 'keyspace' | 'signingKey'> {
  if (change.kind === 'owner') return { key: null, owner: ownerFactOf(change.after), keyspace: null };
  if (change.kind === 'keyspace') return { key: null, owner: null, keyspace: keyspaceFactOf(change.after) };
  if (change.kind === 'document')
    return { key: null, owner: null, keyspace: null, ...signingKeyIn(change.after) };
  const owner = view.owners.find(change.after.ownerId);
  const keyspace = view.keyspaces.find(change.after.keyspaceId);
  assert(owner !== undefined, 'the owner of a key that changes was read');
  assert(keyspace !== undefined, 'the keyspace of a key that changes was read');
  return { key: keyFactOf(change.after), owner: ownerFactOf(owner), keyspace: keyspaceFactOf(keyspace) };
}

/** The one kind of document that verifiers have to know of. */
function signingKeyIn(document: DocumentRecord): Pick<FeedRow, 'signingKey'> {
  const id = parseId('sk', document.id);
  if (id === undefined) return {};
  const record = decodeSigningKey({ ...document, id });
  assert(record !== undefined, 'a signing key is written as it is read');
  return { signingKey: signingKeyFactOf(record) };
}
