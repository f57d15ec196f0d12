import type { IncomingMessage, ServerResponse } from 'node:http';
import { type Answer, assert } from '@keyswarm/core';
import { fieldsOfRawHeaders, isSigned } from '@keyswarm/http-signatures';
import { mayBeNews, type ResidentVerifier } from '@keyswarm/verifier';
import { shedFault } from '../http/guard.ts';
import { faultOf, internalFault, problemReply } from '../http/problem-reply.ts';
import { Visit, type VisitKeepers } from '../http/visit.ts';
import type { Log } from '../logging/log.ts';
import { ServerMetrics } from '../metrics/server-metrics.ts';
import { type ForwardAuthQuestion, forwardAuthPath, readQuestion } from './forward-auth-question.ts';
import { keyHeaders, refusalOf } from './forward-auth-reply.ts';
import { forwardedRequest, signedContentHeader } from './forwarded-request.ts';
import { presentedKey } from './presented-key.ts';

/*
 * Forward-auth: a proxy asks, before it lets a request through, whether the key that came with it is good for what
 * stands behind it (nginx `auth_request`, Traefik ForwardAuth, Caddy `forward_auth`, Envoy `ext_authz` over HTTP).
 *
 *   200   let it through; who it is stands in X-Keyswarm-… headers, which the proxy hands on in place of any that the
 *         client sent
 *   401   no key, or none that is good here. Unknown, revoked, expired, of another keyspace, a keyspace that nobody may
 *         ask about: all the same, so that nothing can be learnt by asking
 *   403   a good key that lacks a scope
 *   503   it can't be said (stale), or there are too many at once. Never 200, never 401: the caller may try again
 *
 * It takes no management key, since a proxy has no good place for one. So what may be asked about is a list of the
 * operator's, and the endpoint belongs on an address that only the proxies reach: who reaches it can try keys, which is
 * no more than any client of the proxy can. A question about a keyspace that is not on the list is most likely a mistake in
 * the proxy's configuration, or in ours: the log says so, once for each.
 *
 * A refusal that news could lift waits for news, as everywhere.
 *
 * Signed requests are judged where the question names the `origin` that clients sign (`forwarded-request.ts`).
 */

export interface ForwardAuthServices extends VisitKeepers {
  readonly verifier: Pick<ResidentVerifier, 'verify' | 'verifyRequest'>;
  readonly catchUp: (() => Promise<void>) | undefined;
  /** Asked for what is stale here; absent or undefined: there is nobody to ask. */
  readonly askAuthority?:
    | ((key: string, question: ForwardAuthQuestion) => Promise<Answer | undefined>)
    | undefined;
  /** By the names or ids by which they may be asked about. */
  readonly keyspaces: ReadonlySet<string>;
  readonly requestIdOf: (request: IncomingMessage) => string;
  readonly log: Log;
}

interface Decided {
  readonly question: ForwardAuthQuestion;
  readonly answer: Answer;
  readonly request: IncomingMessage;
}

/** Keyspaces that nobody may ask about and that somebody did, as the log tells of them until the next start. */
export const forwardAuthStrangersMax = 16;

const place = ServerMetrics.placeOf('forwardAuth');
const unknown: Answer = Object.freeze({ valid: false, code: 'unknown' });
const malformed: Answer = Object.freeze({ valid: false, code: 'malformed' });

export class ForwardAuth {
  readonly #services: ForwardAuthServices;
  /** Not on the list, asked about, and told of in the log. */
  readonly #told = new Set<string>();

  constructor(services: ForwardAuthServices) {
    this.#services = services;
  }

  takes({ url = '' }: IncomingMessage): boolean {
    return (
      url.startsWith(forwardAuthPath) &&
      (url.length === forwardAuthPath.length || url[forwardAuthPath.length] === '?')
    );
  }

  answer(request: IncomingMessage, response: ServerResponse): void {
    const requestId = this.#services.requestIdOf(request);
    const visit = Visit.begin(response, this.#services, place);
    // What the proxy passes of the request's own body is never read: the connection ends with the answer instead.
    if (hasBody(request)) response.setHeader('connection', 'close');
    try {
      const seat = this.#services.admission.enter('verifications', 0);
      if (typeof seat === 'string') throw shedFault(seat);
      visit.place = seat;
      const question = readQuestion(request.url ?? '');
      const answer = isSigned({ fields: fieldsOfRawHeaders(request.rawHeaders) })
        ? this.#decideSigned(question, request)
        : this.#decide(question, presentedKey(request.headers));
      if (answer instanceof Promise) {
        answer
          .then((waited) => this.#reply(response, requestId, { question, answer: waited, request }))
          .catch((error: unknown) => this.#fail(response, requestId, error));
      } else {
        this.#reply(response, requestId, { question, answer, request });
      }
    } catch (error) {
      this.#fail(response, requestId, error);
    }
  }

  #decide({ keyspace, scopes }: ForwardAuthQuestion, key: string | undefined): Answer | Promise<Answer> {
    const { verifier, catchUp } = this.#services;
    if (!this.#isOpen(keyspace)) return unknown;
    if (key === undefined) return malformed;
    const look = () => verifier.verify(key, { keyspace, scopes });
    const answer = look();
    if (answer.valid === null) return this.#elsewhere({ keyspace, scopes }, key, answer);
    if (catchUp === undefined || answer.valid || !mayBeNews(answer.code, key)) return answer;
    return catchUp().then(look);
  }

  /** A signed request that is stale is not asked about: the authority would have to be told all of it. */
  #decideSigned(question: ForwardAuthQuestion, request: IncomingMessage): Answer | Promise<Answer> {
    const { verifier, catchUp } = this.#services;
    const { keyspace, scopes } = question;
    if (!this.#isOpen(keyspace)) return unknown;
    const signed = forwardedRequest(request, question);
    if (signed === undefined) return malformed;
    const look = () => verifier.verifyRequest(signed, { keyspace, scopes });
    const answer = look();
    const isNews = answer.valid === false && mayBeNews(answer.code, '');
    return catchUp !== undefined && isNews ? catchUp().then(look) : answer;
  }

  #isOpen(keyspace: string): boolean {
    const { keyspaces, log } = this.#services;
    if (keyspaces.has(keyspace)) return true;
    // Whoever reaches this may ask about anything: the bound keeps the log from being filled that way.
    if (!this.#told.has(keyspace) && this.#told.size < forwardAuthStrangersMax) {
      this.#told.add(keyspace);
      log.warn({ keyspace }, 'forward-auth is asked about a keyspace that --forward-auth does not name');
    }
    return false;
  }

  #elsewhere(question: ForwardAuthQuestion, key: string, stale: Answer): Answer | Promise<Answer> {
    const { askAuthority } = this.#services;
    if (askAuthority === undefined) return stale;
    return askAuthority(key, question).then((answer) => answer ?? stale);
  }

  #reply(response: ServerResponse, requestId: string, { question, answer, request }: Decided): void {
    this.#services.metrics.verdict(answer.code);
    if (answer.valid === true) {
      response.writeHead(200, {
        ...commonHeaders(requestId),
        ...keyHeaders(answer),
        ...signedContentHeader(request),
        'content-length': '0',
      });
      response.end();
      return;
    }
    const { status, headers, text } = refusalOf(answer, question, requestId);
    response.writeHead(status, {
      ...commonHeaders(requestId),
      ...headers,
      'content-length': Buffer.byteLength(text),
    });
    response.end(text);
  }

  #fail(response: ServerResponse, requestId: string, error: unknown): void {
    assert(!response.headersSent, 'a request is answered once');
    const known = faultOf(error);
    if (known === undefined) {
      this.#services.metrics.internalError();
      this.#services.log.error({ requestId, route: forwardAuthPath, err: error }, 'a request failed');
    }
    const { status, headers, text } = problemReply(known ?? internalFault(), requestId);
    response.writeHead(status, { ...headers, 'content-length': Buffer.byteLength(text) });
    response.end(text);
  }
}

function hasBody({ headers }: IncomingMessage): boolean {
  const { 'content-length': said, 'transfer-encoding': coding } = headers;
  return coding !== undefined || (said !== undefined && said !== '0');
}

function commonHeaders(requestId: string): Record<string, string> {
  return { 'x-request-id': requestId, 'cache-control': 'no-store', 'x-content-type-options': 'nosniff' };
}
