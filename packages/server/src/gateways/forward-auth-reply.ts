import { timeText } from '@keyswarm/contract';
import { type Answer, Fault, type ValidVerdict } from '@keyswarm/core';
import { type ProblemReply, problemReply } from '../http/problem-reply.ts';
import { forwardAuthHeaderBytesMax, shedRetryAfterMs, staleRetryAfterMs } from '../limits.ts';
import type { ForwardAuthQuestion } from './forward-auth-question.ts';

/** Who it is, for whatever stands behind the proxy. Every value is printable ASCII of a bounded length. */
export function keyHeaders(verdict: ValidVerdict): Record<string, string> {
  const { keyId, version, owner, keyspace, scopes, rotation, renewAfterMs } = verdict;
  const shown = fitting(scopes);
  return {
    'x-keyswarm-key-id': keyId,
    'x-keyswarm-key-version': String(version),
    'x-keyswarm-owner-id': owner.id,
    'x-keyswarm-owner-kind': owner.kind,
    // An external id may hold any character; a lone surrogate, which no encoding has, becomes U+FFFD.
    'x-keyswarm-owner': encodeURIComponent(owner.externalId.toWellFormed()),
    'x-keyswarm-keyspace': keyspace,
    'x-keyswarm-scopes': shown.join(' '),
    ...(shown.length === scopes.length ? {} : { 'x-keyswarm-scopes-partial': 'true' }),
    // For whoever tells the holder: this version is about to end, or the key is to be renewed.
    ...(rotation === null ? {} : { 'x-keyswarm-retires-at': timeText(rotation.retiresAtMs) }),
    ...(renewAfterMs === null ? {} : { 'x-keyswarm-renew-after': timeText(renewAfterMs) }),
  };
}

/** As many whole scopes as a proxy's buffer takes: whoever reads them may grant less for it, never more. */
function fitting(scopes: readonly string[]): readonly string[] {
  let bytes = 0;
  return scopes.filter((scope) => {
    bytes += scope.length + 1;
    return bytes <= forwardAuthHeaderBytesMax;
  });
}

/**
 * RFC 6750, section 3. A request without a key gets the same words as one with a bad key: proxies differ in what they
 * pass on, and a client can do nothing with the difference.
 */
export function refusalOf(
  answer: Exclude<Answer, ValidVerdict>,
  { scopes }: ForwardAuthQuestion,
  requestId: string,
): ProblemReply {
  if (answer.valid === null) {
    const detail = 'It can not be proved that what is known of this key is fresh enough.';
    return problemReply(new Fault('stale', { detail, retryAfterMs: staleRetryAfterMs }), requestId);
  }
  if (answer.code === 'rate_limited') {
    const detail = 'Too many requests of this key were signed within the last seconds.';
    return problemReply(new Fault('rate_limited', { detail, retryAfterMs: shedRetryAfterMs }), requestId);
  }
  const lacksScope = answer.code === 'insufficient_scope';
  const status = lacksScope ? 403 : 401;
  const error = lacksScope ? 'insufficient_scope' : 'invalid_token';
  const scope = lacksScope ? `, scope="${scopes.join(' ')}"` : '';
  return {
    status,
    headers: {
      'content-type': 'application/problem+json; charset=utf-8',
      'www-authenticate': `Bearer realm="keyswarm", error="${error}"${scope}`,
    },
    text: JSON.stringify({
      type: 'about:blank',
      title: lacksScope ? 'The key lacks a scope' : 'A valid key is required',
      status,
      code: error,
      request_id: requestId,
    }),
  };
}
