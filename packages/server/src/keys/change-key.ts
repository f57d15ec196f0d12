import type { ManagementScope } from '@keyswarm/contract';
import {
  assert,
  type FeedPosition,
  type KeyId,
  type KeyRecord,
  type KeyspaceRecord,
  type OwnerRecord,
  shardOfId,
  underKeyspace,
  underOwner,
} from '@keyswarm/core';
import { actorOf, type Caller } from '../access/caller.ts';
import { placeOf } from '../access/change-place.ts';
import { requireAnywhere, requireIn } from '../access/grants.ts';
import { keyNotFound } from '../access/missing.ts';
import type { UseCasePorts } from '../access/use-case-ports.ts';
import type { KeyspaceEntry } from '../keyspaces/keyspace-directory.ts';
import type { Change } from '../lanes/lane-port.ts';
import type { IdempotencyScope } from '../signing/idempotency.ts';
import { keyEventData } from './key-terms.ts';

/*
 * The way of every change to a key that exists: find it, see that the caller may, queue a write that decides on
 * the record as it then is. What is looked at before the queue (that the key exists, its workspace, its keyspace)
 * never changes; whatever can change is decided inside.
 */

export interface FoundKey {
  readonly key: KeyRecord;
  readonly keyspace: KeyspaceEntry;
}

/** What has to be known of a key before a change of it can be queued: none of it ever changes. */
export interface ChangeableKey {
  readonly key: Pick<KeyRecord, 'id' | 'ownerId' | 'keyspaceId'>;
}

/** The key, if this caller may do this to it; else the fault that it may see. */
export async function findKey(
  ports: UseCasePorts,
  caller: Caller,
  id: KeyId,
  scope: ManagementScope,
): Promise<FoundKey> {
  requireAnywhere(caller, scope);
  const key = await ports.reader.key(caller.workspaceId, id);
  if (key === undefined) throw keyNotFound();
  const keyspace = await ports.keyspaces.find(caller.workspaceId, key.keyspaceId);
  assert(keyspace !== undefined, 'the keyspace of a key exists');
  requireIn(caller, scope, keyspace.name, keyNotFound);
  return { key, keyspace };
}

/** What a change sees: the records as they are in the transaction. */
export interface KeyInTransaction {
  readonly key: KeyRecord;
  readonly keyspace: KeyspaceRecord;
  readonly owner: OwnerRecord;
  readonly nowMs: number;
}

export interface KeyChange<Reply> {
  readonly event: Change['event'];
  readonly idempotency: IdempotencyScope | undefined;
  /** Set where a version is minted: the owner's keys are not revoked between here and the commit, but before or after. */
  readonly mints?: boolean;
  /** The record as it will be, or its Fault. */
  decide(now: KeyInTransaction): KeyRecord;
  /** Further public details of the event. */
  data?(after: KeyRecord): Readonly<Record<string, unknown>>;
  reply(after: KeyRecord): Reply;
}

export interface ChangedKey<Reply> {
  readonly reply: Reply;
  /** Where the change stands in the feed. */
  readonly at: FeedPosition;
}

/** A key after a change, and where that stands in the feed. */
export interface PlacedKey {
  readonly key: KeyRecord;
  readonly at: FeedPosition;
}

export async function changeKey<Reply>(
  ports: UseCasePorts,
  caller: Caller,
  { key: found }: ChangeableKey,
  change: KeyChange<Reply>,
): Promise<ChangedKey<Reply>> {
  const ticket = change.idempotency?.ticket<Reply>();
  const owners = [found.ownerId];
  const receipt = await ports.lanes.submit<Reply>({
    shard: shardOfId(found.id, ports.shards),
    weight: 1,
    actor: actorOf(caller),
    reads: {
      keys: [found.id],
      ...(change.mints === true ? { ownersHeld: owners } : { owners }),
      keyspaces: [found.keyspaceId],
    },
    decide(view, nowMs) {
      const stored = view.key(found.id);
      const keyspace = view.keyspace(found.keyspaceId);
      const owner = view.owner(found.ownerId);
      assert(
        stored !== undefined && keyspace !== undefined && owner !== undefined,
        'a key that was found stays',
      );
      const key = underKeyspace(underOwner(stored, owner.keysNotBeforeMs), keyspace.keysNotBeforeMs);
      const after = change.decide({ key, keyspace, owner, nowMs });
      const data = keyEventData(after, caller.keyId, change.data?.(after));
      return { changes: [{ kind: 'key', event: change.event, after, data }], reply: change.reply(after) };
    },
    ...(ticket === undefined ? {} : { idempotency: ticket }),
  });
  return { reply: receipt.reply, at: placeOf(receipt) };
}
