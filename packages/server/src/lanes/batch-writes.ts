import type { OwnerRecord } from '@keyswarm/core';
import { insertDocuments, updateDocuments } from '../storage/statements/documents.ts';
import { insertKeys } from '../storage/statements/insert-keys.ts';
import { insertWorkspaces } from '../storage/statements/insert-workspaces.ts';
import { updateKeys } from '../storage/statements/update-keys.ts';
import { insertKeyspaces, updateKeyspaces } from '../storage/statements/write-keyspaces.ts';
import { insertOwners, insertOwnersUnlessKnown, updateOwners } from '../storage/statements/write-owners.ts';
import type { Queryable } from '../storage/store.ts';
import type { BatchView } from './batch-view.ts';
import type { RerunReason } from './lane-observer.ts';

/** Another transaction was first. Thrown inside a transaction so that it rolls back; the batch is run again. */
export class BatchRace extends Error {
  override readonly name = 'BatchRace';
  readonly reason: RerunReason;

  constructor(reason: RerunReason) {
    super(`the batch lost a race: ${reason}`);
    this.reason = reason;
  }
}

export interface WriteContext {
  readonly shard: number;
  readonly shards: number;
}

/**
 * Writes what a batch decided. The order is the same in every lane (owners, keyspaces, keys, documents; then replies
 * and the feed), and each
 * statement goes by ascending id: rows of other shards are touched here, and two lanes that touch the same ones
 * must wait for each other in one direction only.
 */
export async function writeBatch(tx: Queryable, view: BatchView, context: WriteContext): Promise<void> {
  if (view.workspaces.length > 0) await insertWorkspaces(tx, view.workspaces, context.shards);
  await writeOwners(tx, view, context.shards);
  await writeKeyspaces(tx, view, context.shards);
  const created = view.keys.created();
  if (created.length > 0) await insertKeys(tx, context.shard, created);
  const updated = view.keys.updated();
  if (updated.length > 0) expectAll(await updateKeys(tx, context.shard, updated), updated.length);
  await writeDocuments(tx, view, context.shard);
}

async function writeDocuments(tx: Queryable, view: BatchView, shard: number): Promise<void> {
  const created = view.documents.created();
  if (created.length > 0) await insertDocuments(tx, shard, created);
  const updated = view.documents.updated();
  if (updated.length > 0) expectAll(await updateDocuments(tx, shard, updated), updated.length);
}

async function writeOwners(tx: Queryable, view: BatchView, shards: number): Promise<void> {
  const created = view.owners.created();
  if (created.length > 0) {
    const made = (owner: OwnerRecord) => view.ownersMade.has(owner.id);
    const strict = created.filter(made);
    const lenient = created.filter((owner) => !made(owner));
    if (strict.length > 0) await insertOwners(tx, strict, shards);
    if (lenient.length > 0) await insertOwnersUnlessKnown(tx, lenient, shards);
  }
  const updated = view.owners.updated().map(withExpected);
  if (updated.length > 0) expectAll(await updateOwners(tx, updated, shards), updated.length);
}

async function writeKeyspaces(tx: Queryable, view: BatchView, shards: number): Promise<void> {
  const created = view.keyspaces.created();
  if (created.length > 0) await insertKeyspaces(tx, created, shards);
  const updated = view.keyspaces.updated().map(withExpected);
  if (updated.length > 0) expectAll(await updateKeyspaces(tx, updated, shards), updated.length);
}

function withExpected<Item extends { readonly revision: number }>(update: {
  readonly before: Item;
  readonly after: Item;
}): { readonly after: Item; readonly expected: number } {
  return { after: update.after, expected: update.before.revision };
}

function expectAll(changed: number, wanted: number): void {
  if (changed !== wanted) throw new BatchRace('revision_race');
}
