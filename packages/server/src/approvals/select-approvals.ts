import { type ApprovalRecord, coversAll, type KeyId, type OwnerKind } from '@keyswarm/core';
import type { Caller } from '../access/caller.ts';
import type { UseCasePorts } from '../access/use-case-ports.ts';
import { approvalsDecidedMax } from '../limits.ts';
import { isPendingAt, scanApprovals, visibleTo } from './read-approvals.ts';

/** Every member that is there has to match. */
export interface ApprovalFilter {
  readonly keyspace?: string | undefined;
  /** Every scope that is asked for is covered by one of these. */
  readonly scopes?: readonly string[] | undefined;
  readonly owner?: { readonly kind: OwnerKind; readonly externalId: string } | undefined;
  readonly requestedBy?: KeyId | undefined;
  readonly requestedBeforeMs?: number | undefined;
}

/** The requests that wait and match, the oldest first, as many as one call decides. */
export async function selectApprovals(
  ports: UseCasePorts,
  caller: Caller,
  filter: ApprovalFilter,
): Promise<{ readonly approvals: readonly ApprovalRecord[]; readonly more: boolean }> {
  const { keyspace, scopes, owner, requestedBy, requestedBeforeMs } = filter;
  const isVisible = await visibleTo(ports, caller, { scope: 'approvals:decide', keyspace });
  const nowMs = ports.clock.nowMs();
  const { approvals, next } = await scanApprovals(ports, caller, {
    state: 'pending',
    limit: approvalsDecidedMax,
    wanted: (approval) =>
      isVisible(approval.keyspaceId) &&
      isPendingAt(approval, nowMs) &&
      (scopes === undefined || coversAll(scopes, approval.terms.scopes)) &&
      (owner === undefined ||
        (owner.kind === approval.terms.owner.kind && owner.externalId === approval.terms.owner.externalId)) &&
      (requestedBy === undefined || requestedBy === approval.requestedBy) &&
      (requestedBeforeMs === undefined || approval.createdAtMs < requestedBeforeMs),
  });
  return { approvals, more: next !== null };
}
