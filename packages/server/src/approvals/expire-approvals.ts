import {
  type ApprovalId,
  type ApprovalRecord,
  approvalOfDocument,
  approvalStateAt,
  expireApproval,
  shardOfId,
  type WorkspaceId,
} from '@keyswarm/core';
import type { UseCasePorts } from '../access/use-case-ports.ts';
import { approvalPageRows, approvalsExpiredPerWrite } from '../limits.ts';
import { ApprovalWrites, readsOfApprovals } from './approval-writes.ts';

export type ExpirePorts = Pick<UseCasePorts, 'lanes' | 'reader' | 'storeClock' | 'shards'>;

/**
 * Writes down what the clock has ended already, with its event: at most so many requests, and says how many. Nobody has
 * to wait for it: whoever reads a request sees it expired from the instant on. Several servers may sweep at once; what
 * one has written is no longer open when the other looks.
 */
export async function expireApprovals(ports: ExpirePorts, limit: number): Promise<number> {
  const nowMs = await ports.storeClock.nowMs();
  let expired = 0;
  for (const state of ['pending', 'approved'] as const) {
    let after: ApprovalId | undefined;
    while (expired < limit) {
      const terms = { kind: 'appr', state, after, limit: approvalPageRows } as const;
      const found = (await ports.reader.documents(terms)).map(approvalOfDocument);
      const due = found.filter((approval) => approvalStateAt(approval, nowMs) === 'expired');
      expired += await expireAll(ports, due.slice(0, limit - expired));
      if (found.length < approvalPageRows) break;
      after = found.at(-1)?.id;
    }
  }
  return expired;
}

async function expireAll(ports: ExpirePorts, due: readonly ApprovalRecord[]): Promise<number> {
  const groups = new Map<string, ApprovalRecord[]>();
  for (const approval of due) {
    const place = `${shardOfId(approval.id, ports.shards)} ${approval.workspaceId}`;
    const group = groups.get(place) ?? [];
    groups.set(place, group);
    group.push(approval);
  }
  let expired = 0;
  for (const group of groups.values()) {
    for (let from = 0; from < group.length; from += approvalsExpiredPerWrite)
      expired += await expireSome(ports, group.slice(from, from + approvalsExpiredPerWrite));
  }
  return expired;
}

/** Of one shard and one workspace. */
async function expireSome(ports: ExpirePorts, group: readonly ApprovalRecord[]): Promise<number> {
  const [first] = group;
  if (first === undefined) return 0;
  const receipt = await ports.lanes.submit<number>({
    shard: shardOfId(first.id, ports.shards),
    weight: group.length,
    actor: theHouse(first.workspaceId),
    reads: readsOfApprovals(group),
    decide(view, nowMs) {
      const writes = new ApprovalWrites(view, nowMs);
      for (const { id } of group) {
        const before = writes.read(id);
        // By the store's clock, which may be behind this process's own; the next sweep comes by.
        const after = expireApproval(before, nowMs);
        if (after !== undefined) writes.put(before, after, { event: 'approval.expired', actor: null });
      }
      return { changes: writes.changes, documents: writes.documents(), reply: writes.changes.length };
    },
  });
  return receipt.reply;
}

function theHouse(workspaceId: WorkspaceId) {
  return { workspaceId, keyId: null, requestId: 'expire-approvals' };
}
