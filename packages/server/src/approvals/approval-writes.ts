import {
  type ApprovalId,
  type ApprovalRecord,
  approvalOfDocument,
  assert,
  type DocumentRecord,
  documentOfApproval,
  type EventType,
  Fault,
  isOpenApproval,
  type KeyId,
  type KeyspaceId,
  openApprovalsPerKeyspaceMax,
  type WorkspaceId,
  withBody,
} from '@keyswarm/core';
import type { Change, LaneView } from '../lanes/lane-port.ts';
import { openCountIdOf } from './approval-place.ts';

/*
 * What one write makes of approvals, filled change by change, so that a later item of a bulk sees what an earlier one
 * did. The count of open requests goes along in the same transaction, and can't part from what it counts.
 */
export class ApprovalWrites {
  readonly changes: Change[] = [];
  /** As they are after this write, where no event tells of it. */
  readonly #quiet = new Map<ApprovalId, DocumentRecord>();
  readonly #counts = new Map<KeyspaceId, { readonly workspaceId: WorkspaceId; by: number }>();
  readonly #view: LaneView;
  readonly #nowMs: number;

  constructor(view: LaneView, nowMs: number) {
    this.#view = view;
    this.#nowMs = nowMs;
  }

  /** As it is in this transaction. */
  read(id: ApprovalId): ApprovalRecord {
    const document = this.#view.document(id);
    assert(document !== undefined, 'a request for approval that was found stays');
    return approvalOfDocument(document);
  }

  put(before: ApprovalRecord | undefined, after: ApprovalRecord, told: ApprovalEvent): void {
    const { event, actor, data } = told;
    this.#count(before, after);
    this.changes.push({
      kind: 'document',
      event,
      after: documentOfApproval(after, this.#nowMs),
      data: { ...approvalEventData(after, actor), ...data },
    });
  }

  /** Where another change of the same write tells of it. */
  putQuietly(before: ApprovalRecord, after: ApprovalRecord): void {
    this.#count(before, after);
    this.#quiet.set(after.id, documentOfApproval(after, this.#nowMs));
  }

  /** The counts of open requests, and what no event tells of. Throws when a keyspace would have too many. */
  documents(): readonly DocumentRecord[] {
    return [
      ...this.#quiet.values(),
      ...[...this.#counts]
        .filter(([, { by }]) => by !== 0)
        .map(([keyspaceId, { workspaceId, by }]) => this.#countAfter(keyspaceId, workspaceId, by)),
    ];
  }

  #count(before: ApprovalRecord | undefined, after: ApprovalRecord): void {
    const { keyspaceId, workspaceId } = after;
    const was = before !== undefined && isOpenApproval(before.state) ? 1 : 0;
    const is = isOpenApproval(after.state) ? 1 : 0;
    const count = this.#counts.get(keyspaceId) ?? { workspaceId, by: 0 };
    count.by += is - was;
    this.#counts.set(keyspaceId, count);
  }

  #countAfter(keyspaceId: KeyspaceId, workspaceId: WorkspaceId, by: number): DocumentRecord {
    const id = openCountIdOf(keyspaceId);
    const present = this.#view.document(id);
    const open = openIn(present) + by;
    assert(open >= 0, 'no more requests end than were made');
    if (by > 0 && open > openApprovalsPerKeyspaceMax) throw full();
    const body = { open };
    if (present !== undefined) return withBody(present, body, this.#nowMs);
    const at = { createdAtMs: this.#nowMs, updatedAtMs: this.#nowMs };
    return { id, workspaceId, body, ...at, revision: 1 };
  }
}

export interface ApprovalEvent {
  readonly event: Extract<EventType, `approval.${string}`>;
  /** Null: the clock. */
  readonly actor: KeyId | null;
  readonly data?: Readonly<Record<string, unknown>>;
}

/** What a write has to read to change these: they and the counts of their keyspaces. */
export function readsOfApprovals(approvals: readonly { id: ApprovalId; keyspaceId: KeyspaceId }[]) {
  return {
    documents: [...new Set(approvals.flatMap(({ id, keyspaceId }) => [id, openCountIdOf(keyspaceId)]))],
  };
}

/** Public details of an event: what is asked for and by whom; the words of people are for those who may read it. */
function approvalEventData(approval: ApprovalRecord, actor: KeyId | null): Readonly<Record<string, unknown>> {
  const { owner, scopes } = approval.terms;
  return {
    actor,
    keyspace_id: approval.keyspaceId,
    requested_by: approval.requestedBy,
    owner: { kind: owner.kind, external_id: owner.externalId },
    scopes,
    state: approval.state,
  };
}

function openIn(count: DocumentRecord | undefined): number {
  const open = count?.body.open;
  return typeof open === 'number' ? open : 0;
}

function full(): Fault {
  return new Fault('approvals_full', {
    detail: `${openApprovalsPerKeyspaceMax} requests of this keyspace are waiting already.`,
    field: '/keyspace',
    expected: 'some of them decided, collected or withdrawn first',
  });
}
