import {
  createOwner,
  Fault,
  type OwnerId,
  type OwnerKind,
  type OwnerRecord,
  resumeOwner,
  revokeOwnerKeys,
  shardOfId,
  suspendOwner,
} from '@keyswarm/core';
import { actorOf, type Caller } from '../access/caller.ts';
import { effectiveByOfWorkspace } from '../access/effective-by.ts';
import { requireScope } from '../access/grants.ts';
import { ownerNotFound } from '../access/missing.ts';
import { ownerIdOf } from '../access/named-ids.ts';
import type { UseCasePorts } from '../access/use-case-ports.ts';
import type { Change } from '../lanes/lane-port.ts';
import type { IdempotencyScope } from '../signing/idempotency.ts';

/*
 * Owners. Each change here is one row, and speaks for all the owner's keys at once: verifiers read the owner's
 * state beside the key's.
 */

export async function createOneOwner(
  ports: UseCasePorts,
  caller: Caller,
  wish: { readonly kind: OwnerKind; readonly externalId: string },
  idempotency: IdempotencyScope | undefined,
): Promise<OwnerRecord> {
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
  return receipt.reply;
}

/** An owner whose keys are refused from an instant on. */
export interface StoppedOwner {
  readonly owner: OwnerRecord;
  readonly effectiveByMs: number;
}

/** Refuses all its keys until it is resumed. */
export async function suspendOneOwner(
  ports: UseCasePorts,
  caller: Caller,
  id: OwnerId,
  idempotency: IdempotencyScope | undefined,
): Promise<StoppedOwner> {
  const owner = await changeOwner(ports, caller, {
    id,
    event: 'owner.suspended',
    decide: suspendOwner,
    idempotency,
  });
  return { owner, effectiveByMs: await effectiveByOfWorkspace(ports, caller.workspaceId) };
}

/** Ends every version that its keys have by now, for good. */
export async function revokeKeysOfOwner(
  ports: UseCasePorts,
  caller: Caller,
  id: OwnerId,
  idempotency: IdempotencyScope | undefined,
): Promise<StoppedOwner> {
  const event = 'owner.keys_revoked';
  const owner = await changeOwner(ports, caller, { id, event, decide: revokeOwnerKeys, idempotency });
  return { owner, effectiveByMs: await effectiveByOfWorkspace(ports, caller.workspaceId) };
}

export async function resumeOneOwner(
  ports: UseCasePorts,
  caller: Caller,
  id: OwnerId,
  idempotency: IdempotencyScope | undefined,
): Promise<OwnerRecord> {
  return await changeOwner(ports, caller, { id, event: 'owner.resumed', decide: resumeOwner, idempotency });
}

interface OwnerChange {
  readonly id: OwnerId;
  readonly event: Change['event'];
  readonly idempotency: IdempotencyScope | undefined;
  decide(owner: OwnerRecord, nowMs: number): OwnerRecord;
}

async function changeOwner(ports: UseCasePorts, caller: Caller, change: OwnerChange): Promise<OwnerRecord> {
  requireScope(caller, 'owners:write');
  const { id } = change;
  const ticket = change.idempotency?.ticket<OwnerRecord>();
  const receipt = await ports.lanes.submit<OwnerRecord>({
    shard: shardOfId(id, ports.shards),
    weight: 1,
    actor: actorOf(caller),
    reads: { owners: [id] },
    decide(view, nowMs) {
      const owner = view.owner(id);
      if (owner === undefined || owner.workspaceId !== caller.workspaceId) throw ownerNotFound();
      const after = change.decide(owner, nowMs);
      return { changes: [changeOf(change.event, after, caller)], reply: after };
    },
    ...(ticket === undefined ? {} : { idempotency: ticket }),
  });
  return receipt.reply;
}

function changeOf(event: Change['event'], after: OwnerRecord, caller: Caller): Change {
  return { kind: 'owner', event, after, data: { actor: caller.keyId, kind: after.kind } };
}
