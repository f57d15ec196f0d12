import { type ApprovalRecord, approvalStateAt } from '@keyswarm/core';
import type { ApprovalReply } from '../schemas/approvals.ts';
import { nullableTimeText, timeText } from './time.ts';

/** From an approval to the wire, in the state that the clock gives it. */
export function approvalView(approval: ApprovalRecord, nowMs: number): ApprovalReply {
  const { terms } = approval;
  return {
    id: approval.id,
    state: approvalStateAt(approval, nowMs),
    keyspace_id: approval.keyspaceId,
    owner: { kind: terms.owner.kind, external_id: terms.owner.externalId },
    name: terms.name,
    scopes: terms.scopes,
    ttl_seconds: terms.ttlSeconds,
    expires_at: nullableTimeText(terms.expiresAtMs),
    not_before: nullableTimeText(terms.notBeforeMs),
    metadata: terms.metadata,
    reason: approval.reason,
    requested_by: approval.requestedBy,
    requested_at: timeText(approval.createdAtMs),
    waits_until: timeText(approval.waitsUntilMs),
    decided_by: approval.decidedBy,
    decided_at: nullableTimeText(approval.decidedAtMs),
    note: approval.note,
    key_id: approval.keyId,
    revision: approval.revision,
  };
}
