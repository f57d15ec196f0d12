import { hexOf, type KeyId, type KeyspaceId, type OwnerId, shardOfId } from '@keyswarm/core';
import { findFingerprints } from '../storage/statements/find-fingerprints.ts';
import { lockKeys } from '../storage/statements/lock-keys.ts';
import { lockKeyspaces, readKeyspaces } from '../storage/statements/read-keyspaces.ts';
import { lockOwners, readOwners } from '../storage/statements/read-owners.ts';
import type { Queryable } from '../storage/store.ts';
import { BatchView } from './batch-view.ts';
import type { LaneWrite } from './lane-port.ts';

export interface ReadContext {
  readonly shard: number;
  readonly shards: number;
  /** Lock owners and keyspaces of the lane's shard too: set once an unlocked attempt lost a race for one. */
  readonly lockAll: boolean;
}

/**
 * Reads what the writes named, and the owners and keyspaces of the keys among it. Keys are locked: two processes
 * may change one at the same time. Owners and keyspaces are not, at first: nearly every write only looks at
 * them, and a lock would make all issues of one owner wait for each other from here to COMMIT. A write that
 * changes one is guarded by its revision and run again if it lost.
 */
export async function readBatch(
  tx: Queryable,
  writes: readonly LaneWrite<unknown>[],
  context: ReadContext,
): Promise<BatchView> {
  const view = new BatchView();
  const keys = new Set<KeyId>();
  const owners = new Set<OwnerId>();
  const keyspaces = new Set<KeyspaceId>();
  const fingerprints = new Set<string>();
  for (const { reads } of writes) {
    for (const id of reads.keys ?? []) keys.add(id);
    for (const id of reads.owners ?? []) owners.add(id);
    for (const id of reads.keyspaces ?? []) keyspaces.add(id);
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
  await readOwnersInto(view, tx, owners, context);
  await readKeyspacesInto(view, tx, keyspaces, context);
  if (fingerprints.size > 0) {
    view.expectFingerprints(fingerprints, await findFingerprints(tx, context.shard, [...fingerprints]));
  }
  return view;
}

async function readOwnersInto(
  view: BatchView,
  tx: Queryable,
  ids: ReadonlySet<OwnerId>,
  context: ReadContext,
): Promise<void> {
  view.owners.expect(ids);
  const { locked, unlocked } = split(ids, context);
  if (locked.length > 0) {
    for (const owner of await lockOwners(tx, context.shard, locked)) view.owners.load(owner.id, owner);
  }
  if (unlocked.length > 0) {
    for (const owner of await readOwners(tx, unlocked, context.shards)) view.owners.load(owner.id, owner);
  }
}

async function readKeyspacesInto(
  view: BatchView,
  tx: Queryable,
  ids: ReadonlySet<KeyspaceId>,
  context: ReadContext,
): Promise<void> {
  view.keyspaces.expect(ids);
  const { locked, unlocked } = split(ids, context);
  if (locked.length > 0) {
    for (const one of await lockKeyspaces(tx, context.shard, locked)) view.keyspaces.load(one.id, one);
  }
  if (unlocked.length > 0) {
    for (const one of await readKeyspaces(tx, unlocked, context.shards)) view.keyspaces.load(one.id, one);
  }
}

function split<Id extends OwnerId | KeyspaceId>(
  ids: ReadonlySet<Id>,
  context: ReadContext,
): { readonly locked: readonly Id[]; readonly unlocked: readonly Id[] } {
  if (!context.lockAll) return { locked: [], unlocked: [...ids] };
  const own = (id: Id) => shardOfId(id, context.shards) === context.shard;
  return { locked: [...ids].filter(own), unlocked: [...ids].filter((id) => !own(id)) };
}
