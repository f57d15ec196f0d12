import { hexOf, type KeyId, type KeyspaceId, type OwnerId, shardOfId } from '@keyswarm/core';
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
  await readReferencesInto(view, tx, { owners, keyspaces }, context);
  if (fingerprints.size > 0) {
    view.expectFingerprints(fingerprints, await findFingerprints(tx, context.shard, [...fingerprints]));
  }
  return view;
}

async function readReferencesInto(
  view: BatchView,
  tx: Queryable,
  wanted: { readonly owners: ReadonlySet<OwnerId>; readonly keyspaces: ReadonlySet<KeyspaceId> },
  context: ReadContext,
): Promise<void> {
  view.owners.expect(wanted.owners);
  view.keyspaces.expect(wanted.keyspaces);
  const owners = split(wanted.owners, context);
  const keyspaces = split(wanted.keyspaces, context);
  if (owners.locked.length > 0) {
    for (const owner of await lockOwners(tx, context.shard, owners.locked)) view.owners.load(owner.id, owner);
  }
  if (keyspaces.locked.length > 0) {
    for (const one of await lockKeyspaces(tx, context.shard, keyspaces.locked))
      view.keyspaces.load(one.id, one);
  }
  if (owners.unlocked.length + keyspaces.unlocked.length === 0) return;
  const unlocked = { owners: owners.unlocked, keyspaces: keyspaces.unlocked };
  const found = await readReferences(tx, unlocked, context.shards);
  for (const owner of found.owners) view.owners.load(owner.id, owner);
  for (const keyspace of found.keyspaces) view.keyspaces.load(keyspace.id, keyspace);
}

function split<Id extends OwnerId | KeyspaceId>(
  ids: ReadonlySet<Id>,
  context: ReadContext,
): { readonly locked: readonly Id[]; readonly unlocked: readonly Id[] } {
  if (!context.lockAll) return { locked: [], unlocked: [...ids] };
  const own = (id: Id) => shardOfId(id, context.shards) === context.shard;
  return { locked: [...ids].filter(own), unlocked: [...ids].filter((id) => !own(id)) };
}
