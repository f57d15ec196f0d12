import type { JsonObject } from '../encoding/json.ts';
import { assert } from '../errors/assert.ts';
import { parseId } from '../ids/id-codec.ts';
import type { IdKind, IdKinds } from '../ids/ids.ts';
import type { DocumentRecord } from '../lifecycle/document-record.ts';
import type { OwnerKind } from '../lifecycle/key-record.ts';
import { type ApprovalRecord, type ApprovalState, approvalStates } from './approval-record.ts';

/* Between an approval and the document that the store keeps of it. What does not read back as written is a bug. */

export function documentOfApproval(approval: ApprovalRecord, updatedAtMs: number): DocumentRecord {
  const { id, workspaceId, createdAtMs, revision, terms } = approval;
  const body: JsonObject = {
    state: approval.state,
    keyspace_id: approval.keyspaceId,
    requested_by: approval.requestedBy,
    reason: approval.reason,
    wait_seconds: approval.waitSeconds,
    waits_until_ms: approval.waitsUntilMs,
    decided_by: approval.decidedBy,
    decided_at_ms: approval.decidedAtMs,
    note: approval.note,
    key_id: approval.keyId,
    key: {
      owner_kind: terms.owner.kind,
      owner_external_id: terms.owner.externalId,
      name: terms.name,
      scopes: terms.scopes,
      ttl_seconds: terms.ttlSeconds,
      expires_at_ms: terms.expiresAtMs,
      not_before_ms: terms.notBeforeMs,
      metadata: terms.metadata,
    },
  };
  return { id, workspaceId, body, createdAtMs, updatedAtMs, revision };
}

type Fields = Readonly<Record<string, unknown>>;

export function approvalOfDocument(document: DocumentRecord): ApprovalRecord {
  const { id, workspaceId, createdAtMs, revision } = document;
  const body: Fields = document.body;
  const key = objectOf(body.key);
  return {
    id: idOf('appr', id),
    workspaceId,
    keyspaceId: idOf('ks', body.keyspace_id),
    terms: {
      owner: { kind: ownerKindOf(key.owner_kind), externalId: textOf(key.owner_external_id) },
      name: textOf(key.name),
      scopes: listOf(key.scopes),
      ttlSeconds: numberOrNull(key.ttl_seconds),
      expiresAtMs: numberOrNull(key.expires_at_ms),
      notBeforeMs: numberOrNull(key.not_before_ms),
      metadata: Object.fromEntries(
        Object.entries(objectOf(key.metadata)).map(([name, value]) => [name, textOf(value)]),
      ),
    },
    reason: textOf(body.reason),
    requestedBy: idOf('key', body.requested_by),
    state: stateOf(body.state),
    waitSeconds: numberOf(body.wait_seconds),
    waitsUntilMs: numberOf(body.waits_until_ms),
    decidedBy: body.decided_by === null ? null : idOf('key', body.decided_by),
    decidedAtMs: numberOrNull(body.decided_at_ms),
    note: textOf(body.note),
    keyId: body.key_id === null ? null : idOf('key', body.key_id),
    createdAtMs,
    revision,
  };
}

function idOf<Kind extends IdKind>(kind: Kind, value: unknown): IdKinds[Kind] {
  const id = typeof value === 'string' ? parseId(kind, value) : undefined;
  assert(id !== undefined, `a stored approval names a ${kind}`);
  return id;
}

function stateOf(value: unknown): ApprovalState {
  const state = approvalStates.find((one) => one === value);
  assert(state !== undefined, 'a stored approval has a state');
  return state;
}

function ownerKindOf(value: unknown): OwnerKind {
  const kind = (['service', 'integration', 'user'] as const).find((one) => one === value);
  assert(kind !== undefined, 'a stored approval has a kind of owner');
  return kind;
}

function objectOf(value: unknown): Fields {
  assert(typeof value === 'object' && value !== null && !Array.isArray(value), 'a member is an object');
  return value as Fields;
}

function listOf(value: unknown): readonly string[] {
  assert(Array.isArray(value), 'a member is a list');
  return value.map(textOf);
}

function textOf(value: unknown): string {
  assert(typeof value === 'string', 'a member is a text');
  return value;
}

function numberOf(value: unknown): number {
  assert(typeof value === 'number', 'a member is a number');
  return value;
}

function numberOrNull(value: unknown): number | null {
  return value === null ? null : numberOf(value);
}
