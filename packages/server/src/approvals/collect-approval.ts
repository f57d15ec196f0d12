import {
  type ApprovalId,
  type ApprovalRecord,
  collectApproval,
  type FeedPosition,
  type KeyRecord,
  type Secret,
  shardOfId,
} from '@keyswarm/core';
import { actorOf, type Caller } from '../access/caller.ts';
import { placeOf } from '../access/change-place.ts';
import type { UseCasePorts } from '../access/use-case-ports.ts';
import type { KeyTerms } from '../keys/key-terms.ts';
import { requireOpaque } from '../keys/mint-token.ts';
import { mintVersion, secretOf } from '../keys/mint-version.ts';
import { Additions, findKeyspaceFor, prepareKey, readsOf } from '../keys/new-keys.ts';
import type { IdempotencyScope } from '../signing/idempotency.ts';
import { shardByteOf } from './approval-place.ts';
import { ApprovalWrites, readsOfApprovals } from './approval-writes.ts';
import { findOwnApproval } from './find-approval.ts';

interface Collected {
  readonly key: KeyRecord;
  readonly secret: Secret;
}

/**
 * Issues the key that was approved, in one transaction with the end of the request: once, however often and from wherever
 * it is asked for. The secret is minted here, so none ever waits for its holder. The rules of the keyspace, the rights
 * of the caller and the approval's time are those of now: an approval is leave to issue, and not the issue.
 */
export async function collectOneApproval(
  ports: UseCasePorts,
  caller: Caller,
  id: ApprovalId,
  idempotency: IdempotencyScope | undefined,
): Promise<Collected & { readonly at: FeedPosition }> {
  const { approval } = await findOwnApproval(ports, caller, id);
  const terms = issueTermsOf(approval);
  const keyspace = await findKeyspaceFor(ports, caller, terms, 'keys:issue');
  requireOpaque(keyspace, '/keyspace');
  const minted = mintVersion(ports, keyspace.prefix);
  const { fingerprint, proofFor } = minted;
  const secret = secretOf(minted);
  const approvedScopes = terms.scopes;
  const wish = {
    ...prepareKey(ports, caller, { terms, keyspace, fingerprint, proofFor, lastByte: shardByteOf(id) }),
    approvedScopes,
    eventData: { approval: id },
  };
  const ticket = idempotency?.ticket<Collected>();
  const receipt = await ports.lanes.submit<Collected>({
    shard: shardOfId(id, ports.shards),
    weight: 1,
    actor: actorOf(caller),
    reads: { ...readsOf([wish]), ...readsOfApprovals([approval]) },
    decide(view, nowMs) {
      const writes = new ApprovalWrites(view, nowMs);
      const before = writes.read(id);
      writes.putQuietly(before, collectApproval(before, wish.id, nowMs));
      const additions = new Additions(caller, view, nowMs);
      const key = additions.add(wish);
      return {
        changes: additions.changes,
        newOwners: additions.newOwners,
        documents: writes.documents(),
        reply: { key, secret },
      };
    },
    ...(ticket === undefined ? {} : { idempotency: ticket }),
  });
  return { ...receipt.reply, at: placeOf(receipt) };
}

function issueTermsOf({ keyspaceId, terms }: ApprovalRecord): KeyTerms {
  const { ttlSeconds, expiresAtMs, notBeforeMs, ...rest } = terms;
  return {
    ...rest,
    keyspace: keyspaceId,
    ttlSeconds: ttlSeconds ?? undefined,
    expiresAtMs: expiresAtMs ?? undefined,
    notBeforeMs: notBeforeMs ?? undefined,
    // Agreed to for this long: no renewal by its holder moves the end.
    traits: { endsFixed: true },
  };
}
