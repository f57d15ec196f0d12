import type { ManagementScope } from '@keyswarm/contract';
import { type Answer, builtinKeyspaceName, Fault, keyStringPrefixLength } from '@keyswarm/core';
import type { ResidentVerifier } from '@keyswarm/verifier';
import type { Caller } from '../access/caller.ts';
import { reachesAnywhere, requireAnywhere } from '../access/grants.ts';
import { authorizationLengthMax, staleRetryAfterMs } from '../limits.ts';

const requirement = Object.freeze({ keyspace: builtinKeyspaceName });

export interface Authenticator {
  readonly verifier: ResidentVerifier;
  /** As for every verification: absent where no other process writes. */
  readonly catchUp?: (() => Promise<void>) | undefined;
  /**
   * False while this process holds no management keys at all: a node whose credential may not read them. It can't
   * tell a valid one from a forged one, and says so instead of refusing both. Absent: it holds them.
   */
  readonly knowsManagers?: (() => boolean) | undefined;
  /** Management calls have to be signed. The data plane (verification, the feed) has credentials, and bears them. */
  readonly requiresSignature?: boolean | undefined;
  /** Scheme and host by which clients reach this server; null: `http` and what they say themselves. */
  readonly publicUrl?: string | null | undefined;
}

/** What a request says of its sender, and what its operation needs at the least. */
export interface Plea {
  readonly authorization: string | undefined;
  readonly requestId: string;
  /** Held for one keyspace is enough here; for which one is the use-case's question. */
  readonly scope: ManagementScope;
}

/**
 * Who is asking, and may they ask this of any keyspace at all? A management key is a key like any other, so the
 * resident verifier decides, at every request: a revoked one stops working as fast as any key does, and a verifier
 * that isn't fresh answers nobody. Whatever is wrong with the key, the answer is the same. The scope is looked at
 * before a byte of the body, so that a key which may do nothing here can't make the server read, hold or parse
 * one. A promise only where a refusal has to wait for news.
 */
export function authenticate(authenticator: Authenticator, plea: Plea): Caller | Promise<Caller> {
  const token = bearerOf(plea.authorization);
  if (token === undefined) throw unauthenticated();
  const { verifier, catchUp, knowsManagers } = authenticator;
  if (knowsManagers?.() === false) throw managersUnknown(verifier.ready);
  const answer = verifier.verify(token, requirement);
  if (catchUp === undefined || !mayBeNews(answer, plea.scope)) return bearerCaller(answer, plea, token);
  return catchUp().then(() => bearerCaller(verifier.verify(token, requirement), plea, token));
}

/**
 * The same question once more, after a body has come or a write has waited for its batch: either may take longer
 * than a lease, and a key revoked meanwhile must not act on what was true at the head of the request.
 */
export function authenticateAgain({ verifier }: Authenticator, plea: Plea): Caller {
  const token = bearerOf(plea.authorization);
  if (token === undefined) throw unauthenticated();
  return bearerCaller(verifier.verify(token, requirement), plea, token);
}

/** Refusals that something committed elsewhere a moment ago would lift. */
const liftable: ReadonlySet<string> = new Set(['unknown', 'suspended', 'expired']);

function mayBeNews(answer: Answer, scope: ManagementScope): boolean {
  if (answer.valid === true) return !reachesAnywhere(answer.scopes, scope);
  return answer.valid === false && liftable.has(answer.code);
}

/** Management keys are neither tokens nor imported: what is no key string was derived of one. */
function bearerCaller(answer: Answer, plea: Plea, token: string): Caller {
  return callerOf(answer, plea, keyStringPrefixLength(token) === 0);
}

export function callerOf(answer: Answer, { requestId, scope }: Plea, isDerived: boolean): Caller {
  if (answer.valid === null) {
    throw new Fault('stale', {
      detail: 'The server can not prove that what it knows of your management key is fresh enough.',
      retryAfterMs: staleRetryAfterMs,
    });
  }
  if (!answer.valid) throw unauthenticated();
  const { keyId, workspaceId, scopes, expiresAtMs } = answer;
  const caller = { keyId, workspaceId, scopes, expiresAtMs, isDerived, requestId };
  requireAnywhere(caller, scope);
  return caller;
}

/** `stale` before the first snapshot as well: whether it will hold any isn't known yet. */
function managersUnknown(isLoaded: boolean): Fault {
  return new Fault('stale', {
    detail: isLoaded
      ? 'This node may not read management keys, and can not know yours. Its credential needs feed:read:keyswarm.'
      : 'This node has not loaded what it verifies by yet.',
    retryAfterMs: staleRetryAfterMs,
  });
}

/** The token of `Bearer <token>` (RFC 6750, section 2.1); the scheme's case does not matter. */
export function bearerOf(header: string | undefined): string | undefined {
  if (header === undefined || header.length > authorizationLengthMax || header.charCodeAt(6) !== 0x20) {
    return undefined;
  }
  const scheme = header.slice(0, 6);
  if (scheme !== 'Bearer' && scheme.toLowerCase() !== 'bearer') return undefined;
  const token = header.charCodeAt(7) === 0x20 ? header.slice(7).trimStart() : header.slice(7);
  return token === '' ? undefined : token;
}

function unauthenticated(): Fault {
  return new Fault('unauthenticated', {
    detail: 'Send a valid management key.',
    field: 'Authorization',
    expected: 'Authorization: Bearer <management key>',
  });
}
