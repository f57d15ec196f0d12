import {
  approvalView,
  decodeIdCursor,
  encodeIdCursor,
  issuedKeyView,
  type OperationId,
  optionalTimeMsOf,
  pageLimitOf,
  placedView,
  refusedItemView,
} from '@keyswarm/contract';
import { type ApprovalId, Fault, type KeyId } from '@keyswarm/core';
import { collectOneApproval } from '../../approvals/collect-approval.ts';
import { type DecideApprovals, decideManyApprovals } from '../../approvals/decide-approvals.ts';
import { getOneApproval, listApprovals } from '../../approvals/read-approvals.ts';
import { requestOneApproval } from '../../approvals/request-approval.ts';
import { withdrawOneApproval } from '../../approvals/withdraw-approval.ts';
import type { Call, HandlerServices, Handlers } from '../handler.ts';
import { faultOfRefusal, termsOf } from './key-handlers.ts';

type Approvals = Extract<OperationId, `${string}Approval` | `${string}Approvals`>;

/** Keys that a second manager has to agree to. */
export function approvalHandlers({ ports, metrics }: HandlerServices): Handlers<Approvals> {
  const { clock } = ports;
  return {
    async requestApproval({ body, caller, idempotency }) {
      const { reason, wait_seconds: waitSeconds, ...key } = body;
      const wish = { terms: termsOf(key), reason, waitSeconds };
      const { approval, at } = await requestOneApproval(ports, caller, wish, idempotency);
      return placedView(approvalView(approval, clock.nowMs()), at);
    },

    async listApprovals({ query, caller }) {
      const { approvals, next } = await listApprovals(ports, caller, {
        keyspace: query.keyspace,
        state: query.state,
        requestedBy: query.requested_by as KeyId | undefined,
        after: query.cursor === undefined ? undefined : decodeIdCursor('appr', query.cursor),
        limit: pageLimitOf(query.limit),
      });
      const nowMs = clock.nowMs();
      return {
        items: approvals.map((approval) => approvalView(approval, nowMs)),
        next_cursor: next === null ? null : encodeIdCursor(next),
      };
    },

    async getApproval({ params, caller }) {
      return approvalView(await getOneApproval(ports, caller, params.id as ApprovalId), clock.nowMs());
    },

    async decideApprovals({ body, caller, idempotency }) {
      const wish = { decision: body.decision, which: whichOf(body), note: body.note };
      const { results, more } = await decideManyApprovals(ports, caller, wish, idempotency);
      return {
        results: results.map((result) =>
          'refused' in result
            ? { id: result.id, ...refusedItemView(faultOfRefusal(result.refused)) }
            : { id: result.id, state: result.state },
        ),
        more,
      };
    },

    async collectApproval({ params, caller, idempotency }) {
      const startedMs = clock.monotonicMs();
      const id = params.id as ApprovalId;
      const { key, secret, at } = await collectOneApproval(ports, caller, id, idempotency);
      metrics.issuance('single', clock.monotonicMs() - startedMs);
      return placedView(issuedKeyView(key, secret), at);
    },

    async withdrawApproval({ params, caller, idempotency }) {
      const id = params.id as ApprovalId;
      const { approval, at } = await withdrawOneApproval(ports, caller, id, idempotency);
      return placedView(approvalView(approval, clock.nowMs()), at);
    },
  };
}

function whichOf({ ids, filter }: Call<'decideApprovals'>['body']): DecideApprovals['which'] {
  if (ids !== undefined && filter === undefined) return { ids: ids as readonly ApprovalId[] };
  if (filter === undefined || ids !== undefined) {
    throw new Fault(ids === undefined ? 'missing_field' : 'invalid_field', {
      detail: 'Which requests are meant is said in one way.',
      field: '/ids',
      expected: 'one of ids and filter',
    });
  }
  const { owner, requested_by: requestedBy, requested_before: before, ...rest } = filter;
  return {
    filter: {
      ...rest,
      owner: owner === undefined ? undefined : { kind: owner.kind, externalId: owner.external_id },
      requestedBy: requestedBy as KeyId | undefined,
      requestedBeforeMs: optionalTimeMsOf(before, '/filter/requested_before'),
    },
  };
}
