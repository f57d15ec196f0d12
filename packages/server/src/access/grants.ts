import type { ManagementScope } from '@keyswarm/contract';
import { builtinKeyspaceName, covers, Fault } from '@keyswarm/core';
import type { Caller } from './caller.ts';

/*
 * What a management key may do. A scope such as `keys:issue` holds for every keyspace of the caller's workspace
 * but the built-in one, in which the management keys themselves live: that one has to be named
 * (`keys:issue:keyswarm`) or covered by a wildcard (`keys:*`, `*`), so that a key which may issue for every
 * access point may still not make another manager.
 *
 * Two answers to "no": `forbidden` tells which scope is missing, and is given only where the caller may know that
 * the thing exists; everywhere else it is the very `not_found` that a thing which isn't there gets. A caller
 * without the scope for any keyspace at all is refused before anything is looked up, which tells nothing either.
 */

const keyVerbs = ['read', 'issue', 'update', 'rotate', 'revoke', 'suspend', 'verify', 'import'] as const;

/** May the caller do this in that keyspace? */
export function reaches(scopes: readonly string[], scope: ManagementScope, keyspaceName: string): boolean {
  if (covers(scopes, `${scope}:${keyspaceName}`)) return true;
  return keyspaceName !== builtinKeyspaceName && covers(scopes, scope);
}

/** In every keyspace, the built-in one too? Then nothing needs to be looked up. */
export function reachesEverywhere(scopes: readonly string[], scope: ManagementScope): boolean {
  return covers(scopes, `${scope}:*`);
}

/** For what is not bound to a keyspace. */
export function requireScope(caller: Caller, scope: ManagementScope): void {
  if (!covers(caller.scopes, scope)) throw forbidden(scope);
}

/** Refuses a caller that may not do this in any keyspace; comes before every look-up. */
export function requireAnywhere(caller: Caller, scope: ManagementScope): void {
  if (!reachesAnywhere(caller.scopes, scope)) throw forbidden(scope);
}

export function reachesAnywhere(scopes: readonly string[], scope: ManagementScope): boolean {
  const narrowed = `${scope}:`;
  return covers(scopes, scope) || scopes.some((held) => held.startsWith(narrowed));
}

/** For a thing in a keyspace that was found; `missing` makes the answer for one that was not. */
export function requireIn(
  caller: Caller,
  scope: ManagementScope,
  keyspaceName: string,
  missing: () => Fault,
): void {
  if (reaches(caller.scopes, scope, keyspaceName)) return;
  throw mayKnow(caller, keyspaceName) ? forbidden(`${scope}:${keyspaceName}`) : missing();
}

/**
 * Refuses what would give the caller, by way of another management key, more than it holds itself. Asked
 * whenever a management key is made, brought back, or given a new secret or new terms.
 */
export function refuseEscalation(caller: Caller, wanted: readonly string[], field?: string): void {
  const excess = wanted.find((scope) => !holds(caller.scopes, scope));
  if (excess === undefined) return;
  throw new Fault('scope_escalation', {
    detail: `Your management key does not hold ${excess} itself.`,
    ...(field === undefined ? {} : { field }),
    expected: 'scopes that your own scopes cover',
  });
}

/**
 * Refuses what would be there longer than the caller is: else a minute of a management key were enough to make one
 * that stays. Asked as `refuseEscalation` is; `endsAtMs` is the end of the key in question, null: never.
 */
export function refuseOutliving({ expiresAtMs }: Caller, endsAtMs: number | null, field: string): void {
  if (expiresAtMs === null || isNoLater(endsAtMs, expiresAtMs)) return;
  const own = new Date(expiresAtMs).toISOString();
  throw new Fault('scope_escalation', {
    detail: `What you present ends at ${own}, and so does what it gives away by a management key.`,
    field,
    expected: `a key that ends at ${own} or sooner`,
  });
}

/** Refuses a caller that presented a derived token: it may act for its key, and be handed the secret of none. */
export function refuseDerived({ isDerived }: Caller): void {
  if (!isDerived) return;
  throw new Fault('scope_escalation', {
    detail: 'A derived token is handed no secret of a management key that is there already.',
    field: 'Authorization',
    expected: 'the management key itself',
  });
}

/** Of two ends, null being never. */
export function isNoLater(endsAtMs: number | null, thanMs: number | null): boolean {
  return thanMs === null || (endsAtMs !== null && endsAtMs <= thanMs);
}

/** `refuseEscalation` as a question. */
export function mayGrant(granted: readonly string[], wanted: readonly string[]): boolean {
  return wanted.every((scope) => holds(granted, scope));
}

/** `covers`, plus what the keyspace part of a management scope means. */
function holds(granted: readonly string[], wanted: string): boolean {
  if (covers(granted, wanted)) return true;
  const [family, verb, keyspace, ...rest] = wanted.split(':');
  const isPerKeyspace = family === 'keys' || family === 'approvals' || (family === 'feed' && verb === 'read');
  if (!isPerKeyspace || verb === undefined || rest.length > 0) return false;
  const bare = `${family}:${verb}`;
  // `keys:issue` is less than `keys:issue:*`: it leaves the built-in keyspace out.
  if (keyspace === undefined) return covers(granted, `${bare}:*`);
  return keyspace !== builtinKeyspaceName && keyspace !== '*' && covers(granted, bare);
}

function mayKnow({ scopes }: Caller, keyspaceName: string): boolean {
  if (covers(scopes, 'keyspaces:read') || covers(scopes, 'keyspaces:write')) return true;
  if (reaches(scopes, 'feed:read', keyspaceName)) return true;
  if (reaches(scopes, 'approvals:read', keyspaceName)) return true;
  if (reaches(scopes, 'approvals:decide', keyspaceName)) return true;
  return keyVerbs.some((verb) => reaches(scopes, `keys:${verb}`, keyspaceName));
}

function forbidden(scope: string): Fault {
  return new Fault('forbidden', {
    detail: `This needs the scope ${scope}.`,
    expected: scope,
  });
}
