import {
  type ApprovalId,
  type ApprovalRecord,
  type ApprovalState,
  approvalOfDocument,
  approvalStateAt,
  Fault,
  isOpenApproval,
  type KeyId,
  type KeyspaceId,
} from '@keyswarm/core';
import type { Caller } from '../access/caller.ts';
import { findKeyspaceNamed } from '../access/find-keyspace.ts';
import { reaches, reachesEverywhere, requireAnywhere } from '../access/grants.ts';
import { builtinKeyspaceId } from '../access/named-ids.ts';
import type { UseCasePorts } from '../access/use-case-ports.ts';
import { approvalPageRows, approvalPagesMax } from '../limits.ts';
import { findApproval } from './find-approval.ts';

export async function getOneApproval(
  ports: UseCasePorts,
  caller: Caller,
  id: ApprovalId,
): Promise<ApprovalRecord> {
  return (await findApproval(ports, caller, id, 'approvals:read')).approval;
}

export interface ListApprovals {
  readonly keyspace?: string | undefined;
  readonly state?: ApprovalState | undefined;
  readonly requestedBy?: KeyId | undefined;
  readonly after?: ApprovalId | undefined;
  readonly limit: number;
}

export interface ApprovalPage {
  readonly approvals: readonly ApprovalRecord[];
  /** Where to go on from; null when this was the last page. */
  readonly next: ApprovalId | null;
}

/** Requests that the caller may see, ascending by time of request. A page may come short where much is passed over. */
export async function listApprovals(
  ports: UseCasePorts,
  caller: Caller,
  wish: ListApprovals,
): Promise<ApprovalPage> {
  requireAnywhere(caller, 'approvals:read');
  const isVisible = await visibleTo(ports, caller, { scope: 'approvals:read', keyspace: wish.keyspace });
  const nowMs = ports.clock.nowMs();
  return await scanApprovals(ports, caller, {
    ...wish,
    wanted: (approval) =>
      isVisible(approval.keyspaceId) &&
      (wish.requestedBy === undefined || approval.requestedBy === wish.requestedBy) &&
      (wish.state === undefined || approvalStateAt(approval, nowMs) === wish.state),
  });
}

export interface ApprovalScan {
  readonly state?: ApprovalState | undefined;
  readonly after?: ApprovalId | undefined;
  readonly limit: number;
  wanted(approval: ApprovalRecord): boolean;
}

/** Reads on until it has as many as it shall, the end, or as many pages as one request may cost. */
export async function scanApprovals(
  { reader }: UseCasePorts,
  { workspaceId }: Caller,
  { state, after: from, limit, wanted }: ApprovalScan,
): Promise<ApprovalPage> {
  // What is expired by the clock alone is stored as open.
  const stored = state === 'expired' ? undefined : state;
  const approvals: ApprovalRecord[] = [];
  let after = from;
  for (let page = 0; page < approvalPagesMax; page += 1) {
    const terms = { kind: 'appr', workspaceId, state: stored, after, limit: approvalPageRows } as const;
    const found = (await reader.documents(terms)).map(approvalOfDocument);
    for (const approval of found) {
      if (approvals.length === limit) return { approvals, next: after ?? null };
      if (wanted(approval)) approvals.push(approval);
      after = approval.id;
    }
    if (found.length < approvalPageRows) return { approvals, next: null };
  }
  return { approvals, next: after ?? null };
}

/** Which keyspaces' requests this scope lets the caller reach: one that it names, or all but the built-in one. */
export async function visibleTo(
  ports: UseCasePorts,
  caller: Caller,
  ask: { readonly scope: 'approvals:read' | 'approvals:decide'; readonly keyspace: string | undefined },
): Promise<(keyspaceId: KeyspaceId) => boolean> {
  const { scope, keyspace } = ask;
  const { scopes, workspaceId } = caller;
  if (keyspace !== undefined) {
    const found = await findKeyspaceNamed(ports, caller, {
      named: keyspace,
      field: 'keyspace',
      scopes: [scope],
    });
    return (id) => id === found.id;
  }
  if (!reaches(scopes, scope, '*')) {
    throw new Fault('forbidden', {
      detail: 'Your management key may do this only in some keyspaces: name one of them.',
      field: 'keyspace',
      expected: scope,
    });
  }
  const hidden = reachesEverywhere(scopes, scope) ? undefined : builtinKeyspaceId(workspaceId);
  return (id) => id !== hidden;
}

/** Does it wait for a decision at this instant? */
export function isPendingAt(approval: ApprovalRecord, nowMs: number): boolean {
  return isOpenApproval(approval.state) && approvalStateAt(approval, nowMs) === 'pending';
}
