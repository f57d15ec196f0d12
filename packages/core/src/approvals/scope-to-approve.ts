import { Fault } from '../errors/fault.ts';
import type { KeyspaceRecord } from '../lifecycle/key-record.ts';
import { covers } from '../scopes/scopes.ts';

/*
 * What a keyspace wants a second manager to agree to. Asked by the deciders of the lifecycle themselves, so that no way
 * in can go round it by forgetting to ask: whoever makes a key or widens one says what was agreed to, or is refused.
 */

type Ruled = Pick<KeyspaceRecord, 'approval' | 'name'>;

/**
 * The first of the wanted scopes that has to be agreed to: one that touches a pattern of the rule and that `granted`
 * does not hold already. To touch is to cover or to be covered: a key with `orders:*` may do what `orders:write` may,
 * so a rule about the one is a rule about the other.
 */
export function scopeToApprove(
  patterns: readonly string[],
  wanted: readonly string[],
  granted: readonly string[] = [],
): string | undefined {
  if (patterns.length === 0) return undefined;
  return wanted.find((scope) => touches(patterns, scope) && !covers(granted, scope));
}

/** Does the issue of such a key wait for a second manager? By `*` also that of a key without any scope. */
export function issueNeedsApproval({ approval }: Ruled, scopes: readonly string[]): boolean {
  return approval.scopes.includes('*') || scopeToApprove(approval.scopes, scopes) !== undefined;
}

/** Refuses a key that is made or that gains scopes without approval. `granted`: what was agreed to, or is held already. */
export function requireApproved(
  keyspace: Ruled,
  wanted: readonly string[],
  granted: readonly string[] | undefined,
): void {
  const patterns = keyspace.approval.scopes;
  const scope = scopeToApprove(patterns, wanted, granted);
  if (scope !== undefined) throw approvalRequired(keyspace, '/scopes', `the scope ${scope}`);
  if (granted === undefined && patterns.includes('*'))
    throw approvalRequired(keyspace, '/keyspace', 'any key');
}

/** Refuses a later end for a key that was or would have been approved: a second manager agreed to this long and no longer. */
export function refuseLongerLife(
  keyspace: Ruled,
  key: { readonly scopes: readonly string[]; readonly expiresAtMs: number | null },
  expiresAtMs: number | null,
): void {
  const endsMs = key.expiresAtMs ?? Number.POSITIVE_INFINITY;
  if ((expiresAtMs ?? Number.POSITIVE_INFINITY) <= endsMs) return;
  if (issueNeedsApproval(keyspace, key.scopes)) {
    throw approvalRequired(keyspace, '/expires_at', 'a longer life of such a key');
  }
}

function touches(patterns: readonly string[], scope: string): boolean {
  return covers(patterns, scope) || patterns.some((pattern) => covers([scope], pattern));
}

function approvalRequired({ name }: Ruled, field: string, what: string): Fault {
  return new Fault('approval_required', {
    detail: `In the keyspace ${name} ${what} needs the approval of a second manager: ask for it with POST /v1/approvals.`,
    field,
    expected: 'an approved request that is collected',
    extra: { request_with: 'POST /v1/approvals' },
  });
}
