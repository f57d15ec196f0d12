import { type Answer, builtinKeyspaceName, Fault } from '@keyswarm/core';
import type { ResidentVerifier } from '@keyswarm/verifier';
import type { Caller } from '../access/caller.ts';
import { authorizationLengthMax, staleRetryAfterMs } from '../limits.ts';

const requirement = Object.freeze({ keyspace: builtinKeyspaceName });

export interface Authenticator {
  readonly verifier: ResidentVerifier;
  /** As for every verification: absent where no other process writes. */
  readonly catchUp?: (() => Promise<void>) | undefined;
}

/**
 * Who is asking. A management key is a key like any other, so the resident verifier decides, at every request:
 * a revoked one stops working as fast as any key does, and a verifier that isn't fresh answers nobody. Whatever
 * is wrong with the key, the answer is the same. A promise only where a refusal has to wait for news.
 */
export function authenticate(
  { verifier, catchUp }: Authenticator,
  authorization: string | undefined,
  requestId: string,
): Caller | Promise<Caller> {
  const token = bearerOf(authorization);
  if (token === undefined) throw unauthenticated();
  const answer = verifier.verify(token, requirement);
  const mayBeNews = answer.valid === false && (answer.code === 'unknown' || answer.code === 'suspended');
  if (catchUp === undefined || !mayBeNews) return callerOf(answer, requestId);
  return catchUp().then(() => callerOf(verifier.verify(token, requirement), requestId));
}

function callerOf(answer: Answer, requestId: string): Caller {
  if (answer.valid === null) {
    throw new Fault('stale', {
      detail: 'The server can not prove that what it knows of your management key is fresh enough.',
      retryAfterMs: staleRetryAfterMs,
    });
  }
  if (!answer.valid) throw unauthenticated();
  return { keyId: answer.keyId, workspaceId: answer.workspaceId, scopes: answer.scopes, requestId };
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
