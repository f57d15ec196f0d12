import type { ManagementScope } from '@keyswarm/contract';
import { type ApprovalId, type ApprovalRecord, approvalOfDocument, assert, Fault } from '@keyswarm/core';
import type { Caller } from '../access/caller.ts';
import { reaches, requireAnywhere, requireIn } from '../access/grants.ts';
import type { UseCasePorts } from '../access/use-case-ports.ts';
import type { KeyspaceEntry } from '../keyspaces/keyspace-directory.ts';

export interface FoundApproval {
  readonly approval: ApprovalRecord;
  readonly keyspace: KeyspaceEntry;
}

/** The request, if this caller may do this to it; else the fault that it may see. What was found never goes away. */
export async function findApproval(
  ports: UseCasePorts,
  caller: Caller,
  id: ApprovalId,
  scope: ManagementScope,
): Promise<FoundApproval> {
  requireAnywhere(caller, scope);
  const document = await ports.reader.document(id);
  if (document === undefined || document.workspaceId !== caller.workspaceId) throw approvalNotFound();
  const approval = approvalOfDocument(document);
  const keyspace = await ports.keyspaces.find(caller.workspaceId, approval.keyspaceId);
  assert(keyspace !== undefined, 'the keyspace of a request exists');
  requireIn(caller, scope, keyspace.name, approvalNotFound);
  return { approval, keyspace };
}

/** As `findApproval`, for what only the management key that asked may do. */
export async function findOwnApproval(
  ports: UseCasePorts,
  caller: Caller,
  id: ApprovalId,
): Promise<FoundApproval> {
  const found = await findApproval(ports, caller, id, 'keys:issue');
  if (found.approval.requestedBy === caller.keyId) return found;
  if (!reaches(caller.scopes, 'approvals:read', found.keyspace.name)) throw approvalNotFound();
  throw new Fault('forbidden', {
    detail: 'Only the management key that asked for it may do this.',
    expected: 'the management key that asked for it',
  });
}

export function approvalNotFound(): Fault {
  return new Fault('not_found', { detail: 'There is no such request here.', field: 'id' });
}
