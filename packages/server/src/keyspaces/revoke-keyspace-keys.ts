import {
  assert,
  closeKeyspaceRevocation,
  type KeyspaceId,
  type KeyspaceRecord,
  revokeKeyspaceKeys,
  shardOfId,
} from '@keyswarm/core';
import { actorOf, type Caller } from '../access/caller.ts';
import { placeOf } from '../access/change-place.ts';
import { effectiveByOfKeyspace } from '../access/effective-by.ts';
import { findKeyspaceNamed } from '../access/find-keyspace.ts';
import { requireAnywhere } from '../access/grants.ts';
import type { UseCasePorts } from '../access/use-case-ports.ts';
import type { Change, LaneView } from '../lanes/lane-port.ts';
import type { IdempotencyScope } from '../signing/idempotency.ts';
import type { SuspendedKeyspace } from './change-keyspace.ts';

/*
 * Compromise: every key of a keyspace ends at once, whatever their number. Two small writes, one after the other.
 *
 * A rotation reads its keyspace without a lock. One that read it before the watermark was committed may read the
 * clock after the watermark did, and would date its version past it: a key rotated back to life. The first write sets
 * the watermark, and every rotation that begins after its commit is refused. The second moves it to an instant after
 * that commit, and so past the date of every version that was minted without knowledge of it.
 *
 * Rejected: that rotations lock the row of their keyspace, as they lock that of their owner. All rotations of a
 * keyspace would then wait for each other, from the lock to the commit, on all shards. Rejected: to share that lock,
 * for a steady stream of rotations would keep the revocation waiting.
 *
 * A process that dies between the two has acknowledged nothing; the retry, by its Idempotency-Key, finds the first
 * write done and makes the second.
 */

/** Ends every version that its keys have by now, for good. */
export async function revokeKeysOfKeyspace(
  ports: UseCasePorts,
  caller: Caller,
  idOrName: string,
  idempotency: IdempotencyScope | undefined,
): Promise<SuspendedKeyspace> {
  requireAnywhere(caller, 'keys:revoke');
  const wish = { named: idOrName, field: 'id', scopes: ['keys:revoke'] } as const;
  const { id } = await findKeyspaceNamed(ports, caller, wish);
  const begun = await begin(ports, caller, id, idempotency);
  const closed = await close(ports, caller, begun.keyspace, idempotency);
  const done = closed ?? begun;
  return { ...done, keyspaceId: id, effectiveByMs: await effectiveByOfKeyspace(ports, id) };
}

async function begin(
  ports: UseCasePorts,
  caller: Caller,
  id: KeyspaceId,
  idempotency: IdempotencyScope | undefined,
) {
  const ticket = idempotency?.ticket<KeyspaceRecord>();
  const receipt = await ports.lanes.submit<KeyspaceRecord>({
    ...writeOf(ports, caller, id),
    decide(view, nowMs) {
      const after = revokeKeyspaceKeys(keyspaceIn(view, id), nowMs);
      return { changes: [changeOf(after, caller)], reply: after };
    },
    ...(ticket === undefined ? {} : { idempotency: ticket }),
  });
  return { keyspace: receipt.reply, at: placeOf(receipt) };
}

async function close(
  ports: UseCasePorts,
  caller: Caller,
  begun: KeyspaceRecord,
  idempotency: IdempotencyScope | undefined,
) {
  const { id, keysNotBeforeMs: begunAtMs } = begun;
  assert(begunAtMs !== null, 'a revocation that has begun has its watermark');
  const ticket = idempotency?.ticket<KeyspaceRecord | undefined>('close');
  const receipt = await ports.lanes.submit<KeyspaceRecord | undefined>({
    ...writeOf(ports, caller, id),
    decide(view, nowMs) {
      const after = closeKeyspaceRevocation(keyspaceIn(view, id), begunAtMs, nowMs);
      return { changes: after === undefined ? [] : [changeOf(after, caller)], reply: after };
    },
    ...(ticket === undefined ? {} : { idempotency: ticket }),
  });
  return receipt.reply === undefined ? undefined : { keyspace: receipt.reply, at: placeOf(receipt) };
}

function writeOf(ports: UseCasePorts, caller: Caller, id: KeyspaceId) {
  return {
    shard: shardOfId(id, ports.shards),
    weight: 1,
    actor: actorOf(caller),
    reads: { keyspaces: [id] },
  };
}

function keyspaceIn(view: LaneView, id: KeyspaceId): KeyspaceRecord {
  const keyspace = view.keyspace(id);
  assert(keyspace !== undefined, 'a keyspace that was found stays');
  return keyspace;
}

function changeOf(after: KeyspaceRecord, caller: Caller): Change {
  const keysNotBefore = after.keysNotBeforeMs === null ? null : new Date(after.keysNotBeforeMs).toISOString();
  const data = { actor: caller.keyId, name: after.name, keys_not_before: keysNotBefore };
  return { kind: 'keyspace', event: 'keyspace.keys_revoked', after, data };
}
