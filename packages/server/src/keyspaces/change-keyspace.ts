import {
  assert,
  builtinKeyspaceName,
  type CreateKeyspace,
  createKeyspace,
  Fault,
  type FeedPosition,
  firstNotCovered,
  type KeyspaceId,
  type KeyspacePatch,
  type KeyspaceRecord,
  resumeKeyspace,
  shardOfId,
  suspendKeyspace,
  updateKeyspace,
} from '@keyswarm/core';
import { actorOf, type Caller } from '../access/caller.ts';
import { placeOf } from '../access/change-place.ts';
import { effectiveByOfKeyspace } from '../access/effective-by.ts';
import { missingKeyspace } from '../access/find-keyspace.ts';
import { reaches, requireIn, requireScope } from '../access/grants.ts';
import { keyspaceNotFound } from '../access/missing.ts';
import { newKeyspaceId } from '../access/named-ids.ts';
import type { UseCasePorts } from '../access/use-case-ports.ts';
import type { Change } from '../lanes/lane-port.ts';
import type { IdempotencyScope } from '../signing/idempotency.ts';

/** A keyspace after a change, and where that stands in the feed. */
export interface PlacedKeyspace {
  readonly keyspace: KeyspaceRecord;
  readonly at: FeedPosition;
}

export type KeyspaceTerms = Omit<CreateKeyspace, 'id' | 'workspaceId'>;

/**
 * A new keyspace. Its shard follows from its name, so of two that are created at the same moment one meets the
 * other's row, whichever process made it.
 */
export async function createOneKeyspace(
  ports: UseCasePorts,
  caller: Caller,
  terms: KeyspaceTerms,
  idempotency: IdempotencyScope | undefined,
): Promise<PlacedKeyspace> {
  requireScope(caller, 'keyspaces:write');
  // Before there are any keys: a token can't be made without a name for its issuer.
  if (terms.format === 'jwt') assertIssuer(ports);
  const { workspaceId } = caller;
  const id = newKeyspaceId(workspaceId, terms.name, { nowMs: ports.clock.nowMs(), random: ports.random });
  // A look before the write, for a fault that names the field; the store's own constraint settles a race.
  const taken = await ports.reader.keyspaceByName(workspaceId, terms.name);
  const ticket = idempotency?.ticket<KeyspaceRecord>();
  const receipt = await ports.lanes.submit<KeyspaceRecord>({
    shard: shardOfId(id, ports.shards),
    weight: 1,
    actor: actorOf(caller),
    reads: { keyspaces: [id] },
    decide(_view, nowMs) {
      const after = createKeyspace({ ...terms, id, workspaceId }, nowMs);
      if (taken !== undefined) {
        throw new Fault('name_taken', { detail: 'There is a keyspace of this name.', field: '/name' });
      }
      return { changes: [changeOf('keyspace.created', after, caller)], reply: after };
    },
    ...(ticket === undefined ? {} : { idempotency: ticket }),
  });
  return { keyspace: receipt.reply, at: placeOf(receipt) };
}

/** Changes its policy, for what is issued, rotated or updated from now on; a new lease holds for all its keys. */
export async function updateOneKeyspace(
  ports: UseCasePorts,
  caller: Caller,
  idOrName: string,
  patch: KeyspacePatch,
): Promise<PlacedKeyspace> {
  return await changeKeyspace(ports, caller, {
    idOrName,
    event: 'keyspace.updated',
    idempotency: undefined,
    decide(keyspace, nowMs) {
      const after = updateKeyspace(keyspace, patch, nowMs);
      refuseLooserApproval(caller, keyspace, after);
      return after;
    },
    data: (after) => ({ lease_seconds: after.leaseSeconds }),
  });
}

export interface SuspendedKeyspace extends PlacedKeyspace {
  readonly keyspaceId: KeyspaceId;
  readonly effectiveByMs: number;
}

/** Refuses every key in it until it is resumed. */
export async function suspendOneKeyspace(
  ports: UseCasePorts,
  caller: Caller,
  idOrName: string,
  idempotency: IdempotencyScope | undefined,
): Promise<SuspendedKeyspace> {
  const event = 'keyspace.suspended';
  const changed = await changeKeyspace(ports, caller, {
    idOrName,
    event,
    decide: suspendKeyspace,
    idempotency,
  });
  const { id: keyspaceId } = changed.keyspace;
  return { ...changed, keyspaceId, effectiveByMs: await effectiveByOfKeyspace(ports, keyspaceId) };
}

export async function resumeOneKeyspace(
  ports: UseCasePorts,
  caller: Caller,
  idOrName: string,
  idempotency: IdempotencyScope | undefined,
): Promise<PlacedKeyspace> {
  const event = 'keyspace.resumed';
  return await changeKeyspace(ports, caller, { idOrName, event, decide: resumeKeyspace, idempotency });
}

interface KeyspaceChange {
  readonly idOrName: string;
  readonly event: Change['event'];
  readonly idempotency: IdempotencyScope | undefined;
  decide(keyspace: KeyspaceRecord, nowMs: number): KeyspaceRecord;
  data?(after: KeyspaceRecord): Readonly<Record<string, unknown>>;
}

async function changeKeyspace(
  ports: UseCasePorts,
  caller: Caller,
  change: KeyspaceChange,
): Promise<PlacedKeyspace> {
  requireScope(caller, 'keyspaces:write');
  const found = await ports.keyspaces.find(caller.workspaceId, change.idOrName);
  if (found === undefined) throw await missingKeyspace(ports, caller, change.idOrName, 'id');
  // The terms of management keys are not for whoever may write keyspaces: that takes a wildcard.
  if (found.isBuiltin)
    requireIn(caller, 'keyspaces:write', builtinKeyspaceName, () => keyspaceNotFound('id', change.idOrName));
  const ticket = change.idempotency?.ticket<KeyspaceRecord>();
  const receipt = await ports.lanes.submit<KeyspaceRecord>({
    shard: shardOfId(found.id, ports.shards),
    weight: 1,
    actor: actorOf(caller),
    reads: { keyspaces: [found.id] },
    decide(view, nowMs) {
      const keyspace = view.keyspace(found.id);
      assert(keyspace !== undefined, 'a keyspace that was found stays');
      const after = change.decide(keyspace, nowMs);
      return { changes: [changeOf(change.event, after, caller, change.data?.(after))], reply: after };
    },
    ...(ticket === undefined ? {} : { idempotency: ticket }),
  });
  return { keyspace: receipt.reply, at: placeOf(receipt) };
}

/**
 * Whoever could lift the rule that a second manager has to agree would need none: what takes a scope out of it is for
 * those who may agree. To widen it takes no more than to write the keyspace.
 */
function refuseLooserApproval(caller: Caller, before: KeyspaceRecord, after: KeyspaceRecord): void {
  const lifted = firstNotCovered(after.approval.scopes, before.approval.scopes);
  if (lifted === undefined || reaches(caller.scopes, 'approvals:decide', before.name)) return;
  throw new Fault('forbidden', {
    detail: `To lift the approval of ${lifted} needs the scope approvals:decide:${before.name}.`,
    field: '/approval/scopes',
    expected: `approvals:decide:${before.name}`,
  });
}

function changeOf(
  event: Change['event'],
  after: KeyspaceRecord,
  caller: Caller,
  more: Readonly<Record<string, unknown>> = {},
): Change {
  return { kind: 'keyspace', event, after, data: { actor: caller.keyId, name: after.name, ...more } };
}

function assertIssuer({ tokens }: UseCasePorts): void {
  assert(tokens !== undefined, 'a server that takes keyspaces signs tokens');
  void tokens.issuer;
}
