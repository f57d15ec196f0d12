import { describe, expect, it } from 'vitest';
import { idFromUuidBytes } from '../ids/id-codec.ts';
import { uuidV7 } from '../ids/uuid.ts';
import { faultOf } from '../lifecycle/fault-of.arbitrary.ts';
import { issueKey } from '../lifecycle/issue-key.ts';
import { deepFreeze, issued, issueWish, keyId, keyspaceWith, t0 } from '../lifecycle/records.arbitrary.ts';
import { updateKey } from '../lifecycle/update-key.ts';
import { approvalOfDocument, documentOfApproval } from './approval-codec.ts';
import { type ApprovalRecord, type ApprovalState, approvalStates } from './approval-record.ts';
import { type ApprovalEvent, approvalTransitions } from './approval-transitions.ts';
import {
  approvalStateAt,
  collectApproval,
  decideApproval,
  expireApproval,
  requestApproval,
  withdrawApproval,
} from './decide-approval.ts';
import { issueNeedsApproval, scopeToApprove } from './scope-to-approve.ts';

const uuid = (mark: number): Uint8Array => uuidV7(t0, new Uint8Array(10).fill(mark));
const requester = keyId;
const second = idFromUuidBytes('key', uuid(8));
const third = idFromUuidBytes('key', uuid(9));
const other = { keyId: second, issuedBy: [third] };
const ruled = (...scopes: string[]) => keyspaceWith({ approval: { scopes } });

function requested(change: Partial<Parameters<typeof requestApproval>[0]> = {}): ApprovalRecord {
  const wish = {
    id: idFromUuidBytes('appr', uuid(7)),
    keyspace: ruled('orders:write'),
    requestedBy: requester,
    terms: {
      owner: { kind: 'service' as const, externalId: 'billing' },
      name: 'billing prod',
      scopes: ['orders:write', 'orders:read'],
      ttlSeconds: 3600,
      expiresAtMs: null,
      notBeforeMs: null,
      metadata: { team: 'payments' },
    },
    waitSeconds: 600,
    ...change,
  };
  return deepFreeze(requestApproval(wish, t0));
}

const approve = (approval: ApprovalRecord, atMs = t0) =>
  decideApproval(approval, { decision: 'approve', by: other }, atMs);
const deny = (approval: ApprovalRecord, atMs = t0) =>
  decideApproval(approval, { decision: 'deny', by: other, note: 'no' }, atMs);

/** One in each state. */
const inState: Readonly<Record<ApprovalState, ApprovalRecord>> = deepFreeze({
  pending: requested(),
  approved: approve(requested()),
  collected: collectApproval(approve(requested()), third, t0),
  denied: deny(requested()),
  expired: { ...requested(), state: 'expired' },
  withdrawn: withdrawApproval(requested(), t0),
});

const events: Readonly<Record<ApprovalEvent, (approval: ApprovalRecord) => ApprovalRecord>> = {
  approve: (approval) => approve(approval),
  deny: (approval) => deny(approval),
  collect: (approval) => collectApproval(approval, third, t0),
  withdraw: (approval) => withdrawApproval(approval, t0),
  expire: (approval) => expireApproval(approval, approval.waitsUntilMs) ?? approval,
};

const cells = approvalStates.flatMap((state) =>
  (Object.keys(events) as ApprovalEvent[]).map((event) => [state, event] as const),
);

describe('the table of approvals', () => {
  it.each(cells)('%s, %s: happens as the table says', (state, event) => {
    const cell = approvalTransitions[state][event];
    const act = () => events[event](inState[state]);
    if ('refuse' in cell) expect(faultOf(act)).toBe(`${cell.refuse} id`);
    else expect(cell.to).toEqual([act().state]);
  });

  it('lets nothing out of what has ended', () => {
    for (const state of ['collected', 'denied', 'expired', 'withdrawn'] as const) {
      for (const cell of Object.values(approvalTransitions[state])) {
        expect('refuse' in cell ? cell.refuse : cell.to).toEqual(
          'refuse' in cell ? 'approval_closed' : [state],
        );
      }
    }
  });

  it('raises the revision with each change, and keeps who decided', () => {
    expect(inState.collected).toMatchObject({ revision: 3, decidedBy: second, keyId: third });
    expect(inState.denied).toMatchObject({ revision: 2, decidedBy: second, note: 'no' });
  });
});

describe('an approval', () => {
  it.each([
    ['the key that asked', { keyId: requester, issuedBy: [] }],
    ['a key that it has issued', { keyId: second, issuedBy: [requester] }],
    ['a key that a key of its making has issued', { keyId: second, issuedBy: [third, requester] }],
  ])('is neither given nor refused by %s', (_, by) => {
    for (const decision of ['approve', 'deny'] as const) {
      expect(faultOf(() => decideApproval(requested(), { decision, by }, t0))).toBe(
        'self_approval undefined',
      );
    }
  });

  it('may be given by the key that issued the one that asked', () => {
    const by = { keyId: third, issuedBy: [] };
    const asked = requested({ requestedBy: second });
    expect(decideApproval(asked, { decision: 'approve', by }, t0).state).toBe('approved');
  });

  it('ends at the instant at which its wait does, whether or not anybody has written it down', () => {
    const pending = requested();
    const endMs = t0 + 600_000;
    expect(approvalStateAt(pending, endMs - 1)).toBe('pending');
    expect(approvalStateAt(pending, endMs)).toBe('expired');
    expect(faultOf(() => approve(pending, endMs))).toBe('approval_closed id');
    expect(expireApproval(pending, endMs - 1)).toBeUndefined();
    expect(expireApproval(pending, endMs)).toMatchObject({ state: 'expired', revision: 2 });
  });

  it('has its whole wait once more to be collected, and not a moment longer', () => {
    const approved = approve(requested(), t0 + 599_999);
    const endMs = t0 + 599_999 + 600_000;
    expect(collectApproval(approved, third, endMs - 1).state).toBe('collected');
    expect(faultOf(() => collectApproval(approved, third, endMs))).toBe('approval_closed id');
  });

  it.each([
    [{ waitSeconds: 59 }, 'invalid_field /wait_seconds'],
    [{ waitSeconds: 30 * 86_400 + 1 }, 'invalid_field /wait_seconds'],
    [{ reason: 'two\nlines' }, 'invalid_field /reason'],
    [{ terms: { ...requested().terms, scopes: ['billing:write'] } }, 'scope_not_allowed /scopes/0'],
  ])('is not asked for with %j: %s', (change, fault) => {
    expect(faultOf(() => requested(change))).toBe(fault);
  });

  it.each(approvalStates)('reads back from its document as it was written: %s', (state) => {
    const approval = inState[state];
    const document = documentOfApproval(approval, t0);
    const stored = { ...document, body: JSON.parse(JSON.stringify(document.body)) };
    expect(approvalOfDocument(stored)).toEqual(approval);
    expect(stored.body.state).toBe(state);
  });
});

describe('what needs approval', () => {
  it.each([
    [['orders:write'], ['orders:read'], undefined],
    [['orders:write'], ['orders:read', 'orders:write'], 'orders:write'],
    [['orders:write'], ['orders:*'], 'orders:*'],
    [['orders:*'], ['orders:eu:write'], 'orders:eu:write'],
    [['orders:*'], ['billing:read'], undefined],
    [['admin:*'], ['*'], '*'],
    [['*'], ['orders:read'], 'orders:read'],
    [[], ['*'], undefined],
  ])('by the rule %j, a key with %j: %s', (patterns, wanted, found) => {
    expect(scopeToApprove(patterns, wanted)).toBe(found);
    expect(issueNeedsApproval(ruled(...patterns), wanted)).toBe(found !== undefined);
  });

  it('by the rule `*` is a key without scopes too', () => {
    expect(issueNeedsApproval(ruled('*'), [])).toBe(true);
    expect(issueNeedsApproval(ruled('orders:*'), [])).toBe(false);
  });

  it('is refused by the decider itself unless it was agreed to, and no more than was agreed to', () => {
    const keyspace = ruled('orders:write');
    const issue = (approvedScopes: readonly string[] | undefined) =>
      faultOf(() => issueKey(issueWish({ keyspace, scopes: ['orders:write'], approvedScopes })));
    expect(issue(undefined)).toBe('approval_required /scopes');
    expect(issue(['orders:read'])).toBe('approval_required /scopes');
    expect(issue(['orders:write'])).toBe('done');
    expect(faultOf(() => issueKey(issueWish({ keyspace: ruled('*'), scopes: [] })))).toBe(
      'approval_required /keyspace',
    );
  });

  it('is not come by through an update: neither a scope nor a longer life', () => {
    const key = issued({ expiresAtMs: t0 + 60_000 });
    const keyspace = ruled('orders:write');
    const update = (patch: Parameters<typeof updateKey>[2], of = key) =>
      faultOf(() => updateKey(of, keyspace, patch, t0));
    expect(update({ scopes: ['orders:read', 'orders:write'] })).toBe('approval_required /scopes');
    expect(update({ scopes: ['orders:*'] })).toBe('approval_required /scopes');
    expect(update({ scopes: ['orders:read', 'billing:read'] })).toBe('done');
    expect(update({ expiresAtMs: null })).toBe('done');
    const approved = issued({ scopes: ['orders:write'], expiresAtMs: t0 + 60_000 });
    expect(update({ expiresAtMs: null }, approved)).toBe('approval_required /expires_at');
    expect(update({ expiresAtMs: t0 + 60_001 }, approved)).toBe('approval_required /expires_at');
    expect(update({ expiresAtMs: t0 + 59_999 }, approved)).toBe('done');
    expect(update({ name: 'other' }, approved)).toBe('done');
  });
});
