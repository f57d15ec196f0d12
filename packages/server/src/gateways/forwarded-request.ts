import type { IncomingMessage } from 'node:http';
import { fieldsOfRawHeaders, isSigned } from '@keyswarm/http-signatures';
import { noContent, type SignedRequest } from '@keyswarm/verifier';
import type { ForwardAuthQuestion } from './forward-auth-question.ts';

/*
 * The signed request that a proxy asks about. Scheme and host come from the operator's question; method and path from
 * `X-Forwarded-Method` and `X-Forwarded-Uri`, which the proxy has to set itself, in place of any that its client sent
 * (as Traefik and Caddy do, and nginx with the snippet in `deploy`).
 *
 * No proxy passes the content on here. So it has to be covered by a `content-digest` whatever the request says of its
 * length, but for GET and HEAD; and the digest that was signed goes back to the proxy, for whatever reads the content
 * to compare. A service that does not compare it knows who sent the request, and not that the content is theirs.
 */

const withoutContent: ReadonlySet<string> = new Set(['GET', 'HEAD']);

/** Undefined: the question names no origin, or the proxy doesn't say, or says twice, what was asked for. */
export function forwardedRequest(
  { rawHeaders }: Pick<IncomingMessage, 'rawHeaders'>,
  { origin }: ForwardAuthQuestion,
): SignedRequest | undefined {
  const fields = fieldsOfRawHeaders(rawHeaders);
  const [method, ...moreMethods] = fields('x-forwarded-method');
  const [target, ...moreTargets] = fields('x-forwarded-uri');
  if (origin === undefined || method === undefined || target?.startsWith('/') !== true) return undefined;
  if (moreMethods.length > 0 || moreTargets.length > 0) return undefined;
  const isWithout = withoutContent.has(method) && fields('content-digest').length === 0;
  return { method, url: `${origin}${target}`, fields, content: isWithout ? noContent : { kind: 'unread' } };
}

/** Of a request that was let in by its signature: the digest of the content that it was signed with. */
export function signedContentHeader({
  rawHeaders,
}: Pick<IncomingMessage, 'rawHeaders'>): Readonly<Record<string, string>> {
  const fields = fieldsOfRawHeaders(rawHeaders);
  if (!isSigned({ fields })) return {};
  const [digest] = fields('content-digest');
  return digest === undefined ? {} : { 'x-keyswarm-content-digest': digest };
}
