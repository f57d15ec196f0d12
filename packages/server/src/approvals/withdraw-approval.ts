import { type ApprovalId, type ApprovalRecord, shardOfId, withdrawApproval } from '@keyswarm/core';
import { actorOf, type Caller } from '../access/caller.ts';
import { placeOf } from '../access/change-place.ts';
import type { UseCasePorts } from '../access/use-case-ports.ts';
import type { IdempotencyScope } from '../signing/idempotency.ts';
import { ApprovalWrites, readsOfApprovals } from './approval-writes.ts';
import { findOwnApproval } from './find-approval.ts';
import type { PlacedApproval } from './request-approval.ts';

/** Takes a request back, approved or not, as long as it is not collected. */
export async function withdrawOneApproval(
  ports: UseCasePorts,
  caller: Caller,
  id: ApprovalId,
  idempotency: IdempotencyScope | undefined,
): Promise<PlacedApproval> {
  const { approval } = await findOwnApproval(ports, caller, id);
  const ticket = idempotency?.ticket<ApprovalRecord>();
  const receipt = await ports.lanes.submit<ApprovalRecord>({
    shard: shardOfId(id, ports.shards),
    weight: 1,
    actor: actorOf(caller),
    reads: readsOfApprovals([approval]),
    decide(view, nowMs) {
      const writes = new ApprovalWrites(view, nowMs);
      const before = writes.read(id);
      const after = withdrawApproval(before, nowMs);
      writes.put(before, after, { event: 'approval.withdrawn', actor: caller.keyId });
      return { changes: writes.changes, documents: writes.documents(), reply: after };
    },
    ...(ticket === undefined ? {} : { idempotency: ticket }),
  });
  return { approval: receipt.reply, at: placeOf(receipt) };
}
