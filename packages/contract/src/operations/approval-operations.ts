import {
  approvalChanged,
  approvalCreate,
  approvalDecide,
  approvalList,
  approvalParams,
  approvalReply,
  approvalsDecided,
  approvalsQuery,
} from '../schemas/approvals.ts';
import { keyIssued } from '../schemas/keys.ts';
import { operation } from './operation.ts';
import { routes } from './routes.ts';

/* Keys that a second manager has to agree to. */
export const approvalOperations = {
  requestApproval: operation(routes.requestApproval, {
    summary: 'Ask for a key that needs approval',
    description:
      'Where issuing answers `approval_required`. Checked as an issue would be; nothing is issued yet. It waits until another manager decides it or its time runs out.',
    scope: 'keys:issue',
    perKeyspace: true,
    body: approvalCreate,
    reply: approvalChanged,
    faults: [
      'approval_not_required',
      'approvals_full',
      'not_found',
      'scope_escalation',
      'invalid_scope',
      'scope_not_allowed',
      'ttl_too_long',
      'expiry_in_past',
      'expiry_conflict',
    ],
  }),
  listApprovals: operation(routes.listApprovals, {
    summary: 'List requests for approval',
    description: 'Ascending by id, which is by time of request.',
    scope: 'approvals:read',
    perKeyspace: true,
    query: approvalsQuery,
    reply: approvalList,
    faults: ['store_unavailable', 'not_found'],
  }),
  getApproval: operation(routes.getApproval, {
    summary: 'Show a request for approval',
    description: 'The key that is asked for, who asked, who decided.',
    scope: 'approvals:read',
    perKeyspace: true,
    params: approvalParams,
    reply: approvalReply,
    faults: ['store_unavailable'],
  }),
  decideApprovals: operation(routes.decideApprovals, {
    summary: 'Approve or deny requests',
    description:
      'Up to 1,000, by `ids` or by `filter`; each is decided or refused by itself. Never by the key that asked, nor by one that it has issued. A denial also takes back an approval that is not collected yet.',
    scope: 'approvals:decide',
    perKeyspace: true,
    body: approvalDecide,
    reply: approvalsDecided,
    faults: ['store_unavailable', 'not_found'],
  }),
  collectApproval: operation(routes.collectApproval, {
    summary: 'Collect an approved key',
    description:
      'Issues the key: once, to the management key that asked for it. The rules of the keyspace and the rights of the caller count as they are now. The secret is in the reply and nowhere else.',
    scope: 'keys:issue',
    perKeyspace: true,
    params: approvalParams,
    reply: keyIssued,
    faults: [
      'store_unavailable',
      'approval_pending',
      'approval_closed',
      'scope_escalation',
      'scope_not_allowed',
      'ttl_too_long',
      'expiry_in_past',
      'expiry_conflict',
    ],
  }),
  withdrawApproval: operation(routes.withdrawApproval, {
    summary: 'Withdraw a request for approval',
    description: 'By the management key that made it.',
    scope: 'keys:issue',
    perKeyspace: true,
    params: approvalParams,
    reply: approvalChanged,
    faults: ['store_unavailable', 'approval_closed'],
  }),
};
