import type {
  ApprovalChanged,
  ApprovalCreate,
  ApprovalDecide,
  ApprovalReply,
  ApprovalsDecided,
  QueryOf,
  ReplyOf,
} from '@keyswarm/contract';
import { type CallContext, type CallOptions, callOperation } from '../call/call-operation.ts';
import { badShape } from '../call/read-reply.ts';
import { type Listing, listingOf } from './paging.ts';

export type ApprovalsQuery = Omit<QueryOf<'listApprovals'>, 'limit'> & { readonly limit?: number };
type Which = Pick<ApprovalDecide, 'ids' | 'filter'>;

/** `client.approvals`: keys that a second manager has to agree to. */
export interface Approvals {
  /** The same words as `keys.issue`, where that answered `approval_required`. */
  request(wish: ApprovalCreate, options?: CallOptions): Promise<ApprovalChanged>;
  list(query?: ApprovalsQuery, options?: CallOptions): Listing<ApprovalReply>;
  get(id: string, options?: CallOptions): Promise<ApprovalReply>;
  /** Up to 1,000 by `ids` or by `filter`; each has its own result. */
  decide(wish: ApprovalDecide, options?: CallOptions): Promise<ApprovalsDecided>;
  approve(which: Which, note?: string, options?: CallOptions): Promise<ApprovalsDecided>;
  deny(which: Which, note?: string, options?: CallOptions): Promise<ApprovalsDecided>;
  /** Issues the key that was approved, to the management key that asked for it. */
  collect(id: string, options?: CallOptions): Promise<ReplyOf<'collectApproval'>>;
  withdraw(id: string, options?: CallOptions): Promise<ApprovalChanged>;
}

export function approvalsOf(context: CallContext): Approvals {
  const decide: Approvals['decide'] = async (body, options) => {
    const reply = await callOperation(context, 'decideApprovals', { body }, options);
    if (Array.isArray(reply.results)) return reply;
    throw badShape('decideApprovals', 'The reply has no results.');
  };
  const as =
    (decision: ApprovalDecide['decision']): Approvals['approve'] =>
    (which, note, options) =>
      decide({ decision, ...which, ...(note === undefined ? {} : { note }) }, options);
  return {
    request: (body, options) => callOperation(context, 'requestApproval', { body }, options),
    list({ limit, cursor, ...filter } = {}, options) {
      const query = limit === undefined ? filter : { ...filter, limit: String(limit) };
      return listingOf(
        'listApprovals',
        (next) =>
          callOperation(
            context,
            'listApprovals',
            { query: next === undefined ? query : { ...query, cursor: next } },
            options,
          ),
        cursor,
      );
    },
    get: (id, options) => callOperation(context, 'getApproval', { params: { id } }, options),
    decide,
    approve: as('approve'),
    deny: as('deny'),
    collect: (id, options) => callOperation(context, 'collectApproval', { params: { id } }, options),
    withdraw: (id, options) => callOperation(context, 'withdrawApproval', { params: { id } }, options),
  };
}
