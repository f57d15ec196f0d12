import type { Transition } from '../lifecycle/transitions.ts';
import type { ApprovalState } from './approval-record.ts';

/*
 * The whole life of an approval as one total table, as `transitions.ts` of the lifecycle tells that of a key.
 *
 *   pending ──approve──▶ approved ──collect──▶ collected
 *      │                    │
 *      └──deny, withdraw, expire─┴──▶ denied, withdrawn, expired
 *
 * What ends it is final. An approval that was given and not yet used can be taken back by a denial: that only ever takes
 * away. Two who decide alike at the same moment have one effect, and the second is told so.
 */

export type ApprovalCommand = 'approve' | 'deny' | 'collect' | 'withdraw';
/** `expire` happens by the clock alone. */
export type ApprovalEvent = ApprovalCommand | 'expire';

const to = (...states: ApprovalState[]): Transition<ApprovalState> => ({ to: states });
const pending: Transition<ApprovalState> = { refuse: 'approval_pending' };
const decided: Transition<ApprovalState> = { refuse: 'approval_decided' };
const closed: Transition<ApprovalState> = { refuse: 'approval_closed' };

export const approvalTransitions: Readonly<
  Record<ApprovalState, Readonly<Record<ApprovalEvent, Transition<ApprovalState>>>>
> = {
  pending: {
    approve: to('approved'),
    deny: to('denied'),
    collect: pending,
    withdraw: to('withdrawn'),
    expire: to('expired'),
  },
  approved: {
    approve: decided,
    deny: to('denied'),
    collect: to('collected'),
    withdraw: to('withdrawn'),
    expire: to('expired'),
  },
  collected: {
    approve: closed,
    deny: closed,
    collect: closed,
    withdraw: closed,
    expire: to('collected'),
  },
  denied: { approve: closed, deny: closed, collect: closed, withdraw: closed, expire: to('denied') },
  expired: { approve: closed, deny: closed, collect: closed, withdraw: closed, expire: to('expired') },
  withdrawn: { approve: closed, deny: closed, collect: closed, withdraw: closed, expire: to('withdrawn') },
};
