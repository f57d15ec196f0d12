import { type DocumentId, hexOf, type KeyId, type KeyspaceId, type OwnerId, shardOfId } from '@keyswarm/core';
import { lockDocuments } from '../storage/statements/documents.ts';
import { findFingerprints } from '../storage/statements/find-fingerprints.ts';
import { lockKeys } from '../storage/statements/lock-keys.ts';
import { lockKeyspaces } from '../storage/statements/lock-keyspaces.ts';
import { lockOwners } from '../storage/statements/lock-owners.ts';
import { readReferences } from '../storage/statements/read-references.ts';
import type { Queryable } from '../storage/store.ts';
import { BatchView } from './batch-view.ts';
import type { LaneWrite } from './lane-port.ts';

export interface ReadContext {
  readonly shard: number;
  readonly shards: number;
  /** Lock owners and keyspaces of the lane's shard too: set once an unlocked attempt lost a race for one. */
  readonly lockAll: boolean;
}

export interface BatchReads {
  readonly view: BatchView;
  /** The store's clock, read when every lock was held. */
  readonly nowMs: number;
}

/**
 * Reads what the writes named, and the owners and keyspaces of the keys among it. Keys are locked: two processes
 * may change one at the same time. Owners and keyspaces are not, at first: nearly every write only looks at
 * them, and a lock would make all issues of one owner wait for each other from here to COMMIT. A write that
 * changes one is guarded by its revision and run again if it lost; one for which that is too late says so
 * (`ownersHeld`).
 *
 * Locks are taken in one order (keys, documents, owners, keyspaces, each by id), and the clock is read after the last of them.
 * It is the store's: those of two servers may be an hour apart, and a version that one of them mints has to be
 * dated before a watermark that the other sets later.
 *
 * Rejected: to share the lock of an owner among those who mint. Sharers don't queue behind whoever waits to have it
 * alone, so that a steady stream of rotations keeps the revocation of all those keys waiting for as long as it lasts.
 */
export async function readBatch(
  tx: Queryable,
  writes: readonly LaneWrite<unknown>[],
  context: ReadContext,
): Promise<BatchReads> {
  const view = new BatchView();
  const keys = new Set<KeyId>();
  const owners = new Set<OwnerId>();
  const ownersHeld = new Set<OwnerId>();
  const keyspaces = new Set<KeyspaceId>();
  const documents = new Set<DocumentId>();
  const fingerprints = new Set<string>();
  for (const { reads } of writes) {
    for (const id of reads.keys ?? []) keys.add(id);
    for (const id of reads.owners ?? []) owners.add(id);
    for (const id of reads.ownersHeld ?? []) {
      owners.add(id);
      ownersHeld.add(id);
    }
    for (const id of reads.keyspaces ?? []) keyspaces.add(id);
    for (const id of reads.documents ?? []) documents.add(id);
    for (const bytes of reads.fingerprints ?? []) fingerprints.add(hexOf(bytes));
  }
  view.keys.expect(keys);
  if (keys.size > 0) {
    for (const key of await lockKeys(tx, context.shard, [...keys])) {
      view.keys.load(key.id, key);
      owners.add(key.ownerId);
      keyspaces.add(key.keyspaceId);
    }
  }
  view.documents.expect(documents);
  if (documents.size > 0) {
    for (const one of await lockDocuments(tx, context.shard, [...documents]))
      view.documents.load(one.id, one);
  }
  if (fingerprints.size > 0) {
    view.expectFingerprints(fingerprints, await findFingerprints(tx, context.shard, [...fingerprints]));
  }
  const nowMs = await readReferencesInto(view, tx, { owners, ownersHeld, keyspaces }, context);
  return { view, nowMs };
}

interface Wanted {
  readonly owners: ReadonlySet<OwnerId>;
  /** Of these, the ones to lock. */
  readonly ownersHeld: ReadonlySet<OwnerId>;
  readonly keyspaces: ReadonlySet<KeyspaceId>;
}

/** What is locked first, then the rest and the clock, which a batch without a rest asks for all the same. */
async function readReferencesInto(
  view: BatchView,
  tx: Queryable,
  wanted: Wanted,
  context: ReadContext,
): Promise<number> {
  const { shards } = context;
  const isOwn = (id: OwnerId | KeyspaceId) => shardOfId(id, shards) === context.shard;
  const owners = split(wanted.owners, (id) => wanted.ownersHeld.has(id) || (context.lockAll && isOwn(id)));
  const keyspaces = split(wanted.keyspaces, (id) => context.lockAll && isOwn(id));
  view.owners.expect(wanted.owners);
  view.keyspaces.expect(wanted.keyspaces);
  if (owners.locked.length > 0) {
    for (const owner of await lockOwners(tx, owners.locked, shards)) view.owners.load(owner.id, owner);
  }
  if (keyspaces.locked.length > 0) {
    for (const one of await lockKeyspaces(tx, context.shard, keyspaces.locked))
      view.keyspaces.load(one.id, one);
  }
  const unlocked = { owners: owners.unlocked, keyspaces: keyspaces.unlocked };
  const found = await readReferences(tx, unlocked, shards);
  for (const owner of found.owners) view.owners.load(owner.id, owner);
  for (const keyspace of found.keyspaces) view.keyspaces.load(keyspace.id, keyspace);
  return found.nowMs;
}

function split<Id>(
  ids: ReadonlySet<Id>,
  isLocked: (id: Id) => boolean,
): { readonly locked: readonly Id[]; readonly unlocked: readonly Id[] } {
  const locked: Id[] = [];
  const unlocked: Id[] = [];
  for (const id of ids) (isLocked(id) ? locked : unlocked).push(id);
  return { locked, unlocked };
}
