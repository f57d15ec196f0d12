import {
  createOwner,
  Fault,
  type FeedPosition,
  type KeyId,
  keyStateAt,
  type OwnerId,
  type OwnerKind,
  type OwnerRecord,
  resumeOwner,
  revokeOwnerKeys,
  shardOfId,
  suspendOwner,
} from '@keyswarm/core';
import { actorOf, type Caller } from '../access/caller.ts';
import { placeOf } from '../access/change-place.ts';
import { effectiveByOfWorkspace } from '../access/effective-by.ts';
import { refuseEscalation, requireScope } from '../access/grants.ts';
import { ownerNotFound } from '../access/missing.ts';
import { builtinKeyspaceId, ownerIdOf } from '../access/named-ids.ts';
import { orFault } from '../access/or-fault.ts';
import type { UseCasePorts } from '../access/use-case-ports.ts';
import type { Change } from '../lanes/lane-port.ts';
import type { IdempotencyScope } from '../signing/idempotency.ts';

/*
 * Owners. Each change here is one row, and speaks for all the owner's keys at once: verifiers read the owner's
 * state beside the key's. That makes them a way to management keys too, past the checks that such a key has of its
 * own, so that whoever changes an owner has to hold all that its management keys hold.
 */

/** An owner after a change, and where that stands in the feed. */
export interface PlacedOwner {
  readonly owner: OwnerRecord;
  readonly at: FeedPosition;
}

export async function createOneOwner(
  ports: UseCasePorts,
  caller: Caller,
  wish: { readonly kind: OwnerKind; readonly externalId: string },
  idempotency: IdempotencyScope | undefined,
): Promise<PlacedOwner> {
  requireScope(caller, 'owners:write');
  const { workspaceId } = caller;
  const id = ownerIdOf(workspaceId, wish.kind, wish.externalId);
  const ticket = idempotency?.ticket<OwnerRecord>();
  const receipt = await ports.lanes.submit<OwnerRecord>({
    shard: shardOfId(id, ports.shards),
    weight: 1,
    actor: actorOf(caller),
    reads: { owners: [id] },
    decide(view, nowMs) {
      if (view.owner(id) !== undefined) {
        throw new Fault('name_taken', { detail: 'This owner exists already.', field: '/external_id' });
      }
      const after = createOwner({ id, workspaceId, ...wish }, nowMs);
      return { changes: [changeOf('owner.created', after, caller)], reply: after };
    },
    ...(ticket === undefined ? {} : { idempotency: ticket }),
  });
  return { owner: receipt.reply, at: placeOf(receipt) };
}

/** An owner whose keys are refused from an instant on. */
export interface StoppedOwner extends PlacedOwner {
  readonly effectiveByMs: number;
}

/** Refuses all its keys until it is resumed. */
export async function suspendOneOwner(
  ports: UseCasePorts,
  caller: Caller,
  id: OwnerId,
  idempotency: IdempotencyScope | undefined,
): Promise<StoppedOwner> {
  const changed = await changeOwner(ports, caller, {
    id,
    event: 'owner.suspended',
    decide: suspendOwner,
    idempotency,
  });
  return { ...changed, effectiveByMs: await effectiveByOfWorkspace(ports, caller.workspaceId) };
}

/** Ends every version that its keys have by now, for good. */
export async function revokeKeysOfOwner(
  ports: UseCasePorts,
  caller: Caller,
  id: OwnerId,
  idempotency: IdempotencyScope | undefined,
): Promise<StoppedOwner> {
  const event = 'owner.keys_revoked';
  const changed = await changeOwner(ports, caller, { id, event, decide: revokeOwnerKeys, idempotency });
  return { ...changed, effectiveByMs: await effectiveByOfWorkspace(ports, caller.workspaceId) };
}

export async function resumeOneOwner(
  ports: UseCasePorts,
  caller: Caller,
  id: OwnerId,
  idempotency: IdempotencyScope | undefined,
): Promise<PlacedOwner> {
  return await changeOwner(ports, caller, { id, event: 'owner.resumed', decide: resumeOwner, idempotency });
}

interface OwnerChange {
  readonly id: OwnerId;
  readonly event: Change['event'];
  readonly idempotency: IdempotencyScope | undefined;
  decide(owner: OwnerRecord, nowMs: number): OwnerRecord;
}

async function changeOwner(ports: UseCasePorts, caller: Caller, change: OwnerChange): Promise<PlacedOwner> {
  requireScope(caller, 'owners:write');
  const { id } = change;
  const refusal = await orFault(refuseStrongerKeys(ports, caller, id));
  const ticket = change.idempotency?.ticket<OwnerRecord>();
  const receipt = await ports.lanes.submit<OwnerRecord>({
    shard: shardOfId(id, ports.shards),
    weight: 1,
    actor: actorOf(caller),
    reads: { ownersHeld: [id] },
    decide(view, nowMs) {
      const owner = view.owner(id);
      if (owner === undefined || owner.workspaceId !== caller.workspaceId) throw ownerNotFound();
      // Within the write, so that a retry gets its reply whatever keys the owner was given since.
      if (refusal instanceof Fault) throw refusal;
      const after = change.decide(owner, nowMs);
      return { changes: [changeOf(change.event, after, caller)], reply: after };
    },
    ...(ticket === undefined ? {} : { idempotency: ticket }),
  });
  return { owner: receipt.reply, at: placeOf(receipt) };
}

/** Management keys are few for one owner; a page of them is as much as a list request may ask for. */
const managementKeysPerPage = 200;

/**
 * Refuses where the owner holds a management key, not yet ended, whose scopes the caller's own don't cover. Keys live
 * in all shards, so this is read before the write and not within it: a key issued to the owner in between is not
 * looked at. Its issuer held its scopes, and it takes an `owners:write` at that very moment to meet it.
 */
async function refuseStrongerKeys(ports: UseCasePorts, caller: Caller, ownerId: OwnerId): Promise<void> {
  const { workspaceId } = caller;
  const filter = { ownerId, keyspaceId: builtinKeyspaceId(workspaceId) };
  const limit = managementKeysPerPage;
  let after: KeyId | undefined;
  for (;;) {
    const nowMs = ports.clock.nowMs();
    const keys = await ports.reader.keys(workspaceId, filter, { after, limit }, nowMs);
    for (const key of keys) {
      const state = keyStateAt(key, nowMs);
      if (state !== 'revoked' && state !== 'expired') refuseEscalation(caller, key.scopes);
    }
    if (keys.length < limit) return;
    after = keys.at(-1)?.id;
  }
}

function changeOf(event: Change['event'], after: OwnerRecord, caller: Caller): Change {
  return { kind: 'owner', event, after, data: { actor: caller.keyId, kind: after.kind } };
}
