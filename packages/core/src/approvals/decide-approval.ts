import { Fault } from '../errors/fault.ts';
import type { ApprovalId, KeyId } from '../ids/ids.ts';
import { checkInteger, checkMetadata, checkName, checkScopes, checkText } from '../lifecycle/check-fields.ts';
import type { KeyspaceRecord } from '../lifecycle/key-record.ts';
import {
  approvalWaitDefaultSeconds,
  approvalWaitSecondsMax,
  approvalWaitSecondsMin,
  reasonLengthMax,
  scopesPerKeyMax,
} from '../limits/limits.ts';
import type { ApprovalRecord, ApprovalState, ApprovalTerms } from './approval-record.ts';
import { type ApprovalCommand, approvalTransitions } from './approval-transitions.ts';

/*
 * The deciders of an approval: each takes the record as it is, and returns it as it will be, one revision higher, or
 * throws a Fault. Who may ask at all is the caller's to see; who may decide here is this file's: never the one who asked,
 * and no key that the one who asked has made, by however many hands.
 */

export interface RequestApproval {
  readonly id: ApprovalId;
  readonly keyspace: KeyspaceRecord;
  readonly requestedBy: KeyId;
  readonly terms: ApprovalTerms;
  readonly reason?: string | undefined;
  readonly waitSeconds?: number | undefined;
}

/** The text rules of a key hold for its wish too; what hangs on the day (expiry, policy) is for `issueKey` to say. */
export function requestApproval(wish: RequestApproval, nowMs: number): ApprovalRecord {
  const { keyspace, terms } = wish;
  const waitSeconds = checkInteger(wish.waitSeconds ?? approvalWaitDefaultSeconds, '/wait_seconds', {
    min: approvalWaitSecondsMin,
    max: approvalWaitSecondsMax,
    unit: 'seconds',
  });
  return {
    id: wish.id,
    workspaceId: keyspace.workspaceId,
    keyspaceId: keyspace.id,
    terms: {
      ...terms,
      name: checkName(terms.name),
      scopes: checkScopes(terms.scopes, {
        field: '/scopes',
        countMax: scopesPerKeyMax,
        allowed: keyspace.allowedScopes,
      }),
      metadata: checkMetadata(terms.metadata),
    },
    reason: checkLine(wish.reason, '/reason'),
    requestedBy: wish.requestedBy,
    state: 'pending',
    waitSeconds,
    waitsUntilMs: nowMs + waitSeconds * 1000,
    decidedBy: null,
    decidedAtMs: null,
    note: '',
    keyId: null,
    createdAtMs: nowMs,
    revision: 1,
  };
}

/** What it is at an instant. */
export function approvalStateAt(
  { state, waitsUntilMs }: Pick<ApprovalRecord, 'state' | 'waitsUntilMs'>,
  nowMs: number,
): ApprovalState {
  return isOpen(state) && nowMs >= waitsUntilMs ? 'expired' : state;
}

/** Does it still wait for somebody? */
export function isOpen(state: ApprovalState): boolean {
  return state === 'pending' || state === 'approved';
}

export interface Decider {
  readonly keyId: KeyId;
  /** Who made that key or was handed a secret of it, who made those, and so on. */
  readonly issuedBy: readonly KeyId[];
}

export interface DecideApproval {
  readonly decision: 'approve' | 'deny';
  readonly by: Decider;
  readonly note?: string | undefined;
}

export function decideApproval(
  approval: ApprovalRecord,
  { decision, by, note }: DecideApproval,
  nowMs: number,
): ApprovalRecord {
  refuseSelf(approval, by);
  const state = land(approval, decision, nowMs);
  return changed(approval, {
    state,
    decidedBy: by.keyId,
    decidedAtMs: nowMs,
    note: checkLine(note, '/note'),
    // To be collected it has as long once more: a decision in the last minute is not an empty one.
    ...(state === 'approved' ? { waitsUntilMs: nowMs + approval.waitSeconds * 1000 } : {}),
  });
}

export function collectApproval(approval: ApprovalRecord, keyId: KeyId, nowMs: number): ApprovalRecord {
  return changed(approval, { state: land(approval, 'collect', nowMs), keyId });
}

export function withdrawApproval(approval: ApprovalRecord, nowMs: number): ApprovalRecord {
  return changed(approval, { state: land(approval, 'withdraw', nowMs) });
}

/** As the clock has it, written down; undefined where there is nothing to write. */
export function expireApproval(approval: ApprovalRecord, nowMs: number): ApprovalRecord | undefined {
  const state = approvalStateAt(approval, nowMs);
  return state === approval.state ? undefined : changed(approval, { state });
}

function changed(approval: ApprovalRecord, change: Partial<ApprovalRecord>): ApprovalRecord {
  return { ...approval, ...change, revision: approval.revision + 1 };
}

/** The state that the table leads to, or the fault that it names. */
function land(approval: ApprovalRecord, command: ApprovalCommand, nowMs: number): ApprovalState {
  const state = approvalStateAt(approval, nowMs);
  const transition = approvalTransitions[state][command];
  if ('refuse' in transition) {
    throw new Fault(transition.refuse, {
      detail: state === 'pending' ? 'Nobody has decided it yet.' : `It is ${state} already.`,
      field: 'id',
      extra: { state },
    });
  }
  const [next] = transition.to;
  return next ?? state;
}

function refuseSelf({ requestedBy }: ApprovalRecord, { keyId, issuedBy }: Decider): void {
  if (keyId !== requestedBy && !issuedBy.includes(requestedBy)) return;
  throw new Fault('self_approval', {
    detail:
      keyId === requestedBy
        ? 'This management key asked for it itself.'
        : 'This management key was issued or rotated by the one that asked for it.',
    expected: 'a management key that the requester neither is nor has issued or rotated',
  });
}

function checkLine(text: string | undefined, field: string): string {
  return checkText(text ?? '', field, {
    lengthMin: 0,
    lengthMax: reasonLengthMax,
    controlCharacters: 'refused',
  });
}
