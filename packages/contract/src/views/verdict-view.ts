import { type Answer, Fault, type Verdict } from '@keyswarm/core';
import type { ItemRefused } from '../schemas/problem.ts';
import type { RefusedVerdictView, ValidVerdictView, VerdictView } from '../schemas/verify.ts';
import { nullableTimeText, timeText } from './time.ts';

/* From a verdict to the wire: flat, and for a refusal the code and nothing else. */

export function verdictView(verdict: Verdict): VerdictView {
  if (!verdict.valid) {
    const { code, detail } = verdict;
    return (
      detail === undefined ? { valid: false, code } : { valid: false, code, detail }
    ) satisfies RefusedVerdictView;
  }
  const { rotation, renewAfterMs } = verdict;
  const view: ValidVerdictView = {
    valid: true,
    code: 'valid',
    key_id: verdict.keyId,
    version: verdict.version,
    owner: { id: verdict.owner.id, kind: verdict.owner.kind, external_id: verdict.owner.externalId },
    keyspace_id: verdict.keyspaceId,
    keyspace: verdict.keyspace,
    scopes: verdict.scopes,
    expires_at: nullableTimeText(verdict.expiresAtMs),
  };
  if (rotation === null && renewAfterMs === null) return view;
  return {
    ...view,
    ...(rotation === null
      ? {}
      : { rotation: { state: rotation.state, retires_at: timeText(rotation.retiresAtMs) } }),
    ...(renewAfterMs === null ? {} : { renew_after: timeText(renewAfterMs) }),
  };
}

export const staleDetail = 'The verifier can not prove that what it knows is fresh enough.';

/** The single call: a verdict, or the fault `stale`, never a refusal in its stead. */
export function answerView(answer: Answer, retryAfterMs: number): VerdictView {
  if (answer.valid === null) throw new Fault('stale', { detail: staleDetail, retryAfterMs });
  return verdictView(answer);
}

/** One item of a bulk verification. A stale keyspace leaves the verdicts of the others as they are. */
export function answerItemView(answer: Answer): VerdictView | ItemRefused {
  if (answer.valid === null) return { error: { code: 'stale', detail: staleDetail } };
  return verdictView(answer);
}

/** An item of any other bulk request that was refused. */
export function refusedItemView(fault: Fault): ItemRefused {
  const { code, message, field } = fault;
  return { error: field === undefined ? { code, detail: message } : { code, detail: message, field } };
}
