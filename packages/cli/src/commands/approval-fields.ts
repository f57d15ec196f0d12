import type { ApprovalReply } from '@keyswarm/contract';
import { formatFields } from '../io/table.ts';

/** A request as people read it. */
export function formatApproval(approval: ApprovalReply): string {
  return formatFields({
    id: approval.id,
    state: approval.state,
    keyspace: approval.keyspace_id,
    owner: `${approval.owner.kind}:${approval.owner.external_id}`,
    name: approval.name,
    scopes: approval.scopes.join(' '),
    ...(approval.ttl_seconds === null ? {} : { 'ttl seconds': approval.ttl_seconds }),
    ...(approval.expires_at === null ? {} : { expires: approval.expires_at }),
    ...(approval.not_before === null ? {} : { begins: approval.not_before }),
    reason: approval.reason,
    'requested by': approval.requested_by,
    requested: approval.requested_at,
    'waits until': approval.waits_until,
    ...(approval.decided_by === null
      ? {}
      : { 'decided by': approval.decided_by, decided: approval.decided_at, note: approval.note }),
    ...(approval.key_id === null ? {} : { key: approval.key_id }),
  });
}
