import {
  type ApprovalRecord,
  assert,
  Fault,
  type FeedPosition,
  issueKey,
  issueNeedsApproval,
  type KeyspaceRecord,
  type NewProof,
  proofBytes,
  requestApproval,
  shardOfId,
} from '@keyswarm/core';
import { actorOf, type Caller } from '../access/caller.ts';
import { placeOf } from '../access/change-place.ts';
import { requireAnywhere } from '../access/grants.ts';
import { ownerIdOf } from '../access/named-ids.ts';
import type { UseCasePorts } from '../access/use-case-ports.ts';
import type { KeyTerms } from '../keys/key-terms.ts';
import { findKeyspaceFor, refuseLastingManager } from '../keys/new-keys.ts';
import type { IdempotencyScope } from '../signing/idempotency.ts';
import { newApprovalId } from './approval-place.ts';
import { ApprovalWrites, readsOfApprovals } from './approval-writes.ts';

/** A request after a change, and where that stands in the feed. */
export interface PlacedApproval {
  readonly approval: ApprovalRecord;
  readonly at: FeedPosition;
}

export interface ApprovalWish {
  readonly terms: KeyTerms;
  readonly reason?: string | undefined;
  readonly waitSeconds?: number | undefined;
}

/**
 * Asks for a key that a second manager has to agree to. The request is a document in the store from here on: nothing of
 * it stays in memory, however many are made at once, and nobody waits for the decision.
 */
export async function requestOneApproval(
  ports: UseCasePorts,
  caller: Caller,
  wish: ApprovalWish,
  idempotency: IdempotencyScope | undefined,
): Promise<PlacedApproval> {
  requireAnywhere(caller, 'keys:issue');
  const { terms } = wish;
  const { id: keyspaceId } = await findKeyspaceFor(ports, caller, terms, 'keys:issue');
  const id = newApprovalId(ports, keyspaceId);
  const ticket = idempotency?.ticket<ApprovalRecord>();
  const receipt = await ports.lanes.submit<ApprovalRecord>({
    shard: shardOfId(id, ports.shards),
    weight: 1,
    actor: actorOf(caller),
    reads: { keyspaces: [keyspaceId], ...readsOfApprovals([{ id, keyspaceId }]) },
    decide(view, nowMs) {
      const keyspace = view.keyspace(keyspaceId);
      assert(keyspace !== undefined, 'a keyspace that was found stays');
      if (!issueNeedsApproval(keyspace, terms.scopes)) throw notRequired(keyspace);
      tryIssue(caller, keyspace, { terms, nowMs });
      const approval = requestApproval(
        { ...wish, id, keyspace, requestedBy: caller.keyId, terms: wishedTerms(terms) },
        nowMs,
      );
      const writes = new ApprovalWrites(view, nowMs);
      writes.put(undefined, approval, { event: 'approval.requested', actor: caller.keyId });
      return { changes: writes.changes, documents: writes.documents(), reply: approval };
    },
    ...(ticket === undefined ? {} : { idempotency: ticket }),
  });
  return { approval: receipt.reply, at: placeOf(receipt) };
}

/** A public key is not kept with the request: what is collected has a key string, and rotates to a public key. */
function wishedTerms(terms: KeyTerms): ApprovalRecord['terms'] {
  if (terms.proof?.kind === 'public key') throw noPublicKey();
  return {
    owner: terms.owner,
    name: terms.name,
    scopes: terms.scopes,
    ttlSeconds: terms.ttlSeconds ?? null,
    expiresAtMs: terms.expiresAtMs ?? null,
    notBeforeMs: terms.notBeforeMs ?? null,
    metadata: terms.metadata,
  };
}

const noFingerprint = new Uint8Array(32);
const anyProof: NewProof = {
  algorithm: 'hmac-sha256',
  material: 'A'.repeat(Math.ceil((proofBytes('hmac-sha256') * 4) / 3)),
};

function noPublicKey(): Fault {
  return new Fault('invalid_field', {
    detail: 'A key that needs an approval is collected with a key string.',
    field: '/proof',
    expected: 'no public key; rotate the key to one once it is collected',
  });
}

/**
 * What an issue would refuse is refused now, and not when somebody has taken the time to approve it. The key that comes
 * of it is thrown away; another is made when it is collected.
 */
function tryIssue(
  caller: Caller,
  keyspace: KeyspaceRecord,
  { terms, nowMs }: { readonly terms: KeyTerms; readonly nowMs: number },
): void {
  const { workspaceId, keyId } = caller;
  const { kind, externalId } = terms.owner;
  const key = issueKey({
    ...terms,
    id: keyId,
    workspaceId,
    keyspace,
    ownerId: ownerIdOf(workspaceId, kind, externalId),
    approvedScopes: terms.scopes,
    fingerprint: noFingerprint,
    // Whatever it will be: this key is thrown away.
    proof: keyspace.proof === 'signature' ? anyProof : undefined,
    nowMs,
  });
  refuseLastingManager(caller, keyspace, { key, terms });
}

function notRequired({ name }: KeyspaceRecord): Fault {
  return new Fault('approval_not_required', {
    detail: `Such a key of ${name} needs no approval: issue it.`,
    field: '/scopes',
    expected: 'POST /v1/keys',
  });
}
