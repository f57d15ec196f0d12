import type { IncomingMessage } from 'node:http';
import { type OAuthErrorCode, oauthErrors, oauthRoutes } from '@keyswarm/contract';
import { Fault, parseId } from '@keyswarm/core';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { formBytesMax, formWaitMs, jwksMaxAgeMs } from '../../limits.ts';
import type { Log } from '../../logging/log.ts';
import { TokenRefused } from '../../tokens/derive-token.ts';
import { type JwkSet, jwkSetOf } from '../../tokens/jwk-set.ts';
import {
  authorizationServerMetadata,
  grantToken,
  introspect,
  type OAuthPorts,
  revokeByPossession,
} from '../../tokens/oauth-endpoints.ts';
import type { StatusLists } from '../../tokens/status-lists.ts';
import { authenticate } from '../authenticate.ts';
import { type GuardServices, openGuardOf, shedFault } from '../guard.ts';
import { refuseMethodsBut } from '../other-methods.ts';
import { faultOf } from '../problem-reply.ts';
import { Visit } from '../visit.ts';
import { basicAuthOf, parseForm, readForm } from './form-body.ts';

/*
 * What OAuth clients and readers of tokens ask: forms in, JSON of their own shape out, errors as RFC 6749 has them.
 * They stand beside the table of operations, whose rows are JSON with problems.
 *
 * Anyone may ask, so nobody is known by the head of a request. A place is taken when all has come that there is to
 * read: whoever sends a form slowly would else hold, without any key, the places that a revocation needs.
 */

const {
  grantToken: grant,
  introspectToken,
  revokeToken,
  getJwks,
  getAuthorizationServer,
  getStatusList,
} = oauthRoutes;
const readPaths = [getJwks.path, getAuthorizationServer.path, getStatusList.path];
const formPaths = [grant.path, introspectToken.path, revokeToken.path];

export interface OAuthServices extends GuardServices {
  readonly ports: OAuthPorts;
  readonly statusLists: StatusLists;
  readonly log: Log;
}

export function registerOAuthRoutes(app: FastifyInstance, services: OAuthServices): void {
  registerPublic(app, services);
  // Apart: forms and errors of another shape are for these alone.
  app.register(async (scope) => registerForms(scope, services));
  refuseMethodsBut(app, { GET: readPaths, POST: formPaths });
}

function registerPublic(app: FastifyInstance, services: OAuthServices): void {
  const { ports, statusLists } = services;
  const onRequest = openGuardOf(services, undefined);
  let served: JwkSet | undefined;

  app.get(getJwks.path, { onRequest }, (request, reply) => {
    served = jwkSetOf(ports.verifier.signingKeys(), served);
    return cached(request, reply, {
      type: 'application/jwk-set+json',
      text: served.text,
      etag: served.etag,
      maxAgeSeconds: jwksMaxAgeMs / 1000,
    });
  });

  app.get(getAuthorizationServer.path, { onRequest }, (_request, reply) =>
    reply
      .type('application/json')
      .header('cache-control', 'public, max-age=300')
      .send(JSON.stringify(authorizationServerMetadata(ports.tokens.issuer))),
  );

  app.get<{ Params: { id: string } }>(getStatusList.path, { onRequest }, async (request, reply) => {
    takePlace(reply, 0);
    const [, keyspace = '', list = ''] =
      /^(ks_[0-9a-z]{26})\.(0|[1-9]\d{0,5})$/.exec(request.params.id) ?? [];
    const id = parseId('ks', keyspace);
    const found = id === undefined ? undefined : await statusLists.get(id, Number(list));
    if (found === undefined)
      throw new Fault('not_found', { detail: 'There is no such status list.', field: 'id' });
    const { token: text, etag, maxAgeSeconds } = found;
    return cached(request, reply, { type: 'application/statuslist+jwt', text, etag, maxAgeSeconds });
  });
}

function registerForms(app: FastifyInstance, services: OAuthServices): void {
  const { ports } = services;
  app.removeAllContentTypeParsers();
  app.addContentTypeParser(
    'application/x-www-form-urlencoded',
    (_: FastifyRequest, stream: IncomingMessage) =>
      readForm(stream, { bytesMax: formBytesMax, waitMs: formWaitMs }),
  );
  app.setErrorHandler((error, request, reply) => failed(services, error, request, reply));

  form(app, services, grant.path, async (request) => {
    const { authorization } = request.headers;
    const client = basicAuthOf(authorization);
    if (authorization !== undefined && client === undefined)
      throw new TokenRefused('invalid_client', 'Authorization is of a kind that is not supported here.');
    return await grantToken(ports, fieldsOf(request), client);
  });

  form(app, services, introspectToken.path, async (request) => {
    const { authorization } = request.headers;
    const plea = { authorization, requestId: request.id, scope: 'keys:verify' } as const;
    const caller = await authenticate(services.authenticator, plea);
    return await introspect(ports, caller, fieldsOf(request));
  });

  form(app, services, revokeToken.path, async (request) => {
    await revokeByPossession(ports, fieldsOf(request), request.id);
    return {};
  });
}

function form(
  app: FastifyInstance,
  services: OAuthServices,
  url: string,
  answer: (request: FastifyRequest) => Promise<object>,
): void {
  app.post(url, { onRequest: openGuardOf(services, undefined) }, async (request, reply) => {
    takePlace(reply, Buffer.isBuffer(request.body) ? request.body.length : 0);
    const body = await answer(request);
    return reply.type('application/json').header('pragma', 'no-cache').send(JSON.stringify(body));
  });
}

/** From here on it is a request under way, or is shed. */
function takePlace(reply: FastifyReply, bodyBytes: number): void {
  const reason = Visit.takePlace(reply.raw, 'mutations', bodyBytes);
  if (reason !== undefined) throw shedFault(reason);
}

function fieldsOf(request: FastifyRequest) {
  if (!Buffer.isBuffer(request.body))
    throw new TokenRefused('invalid_request', 'The body is a form: application/x-www-form-urlencoded.');
  return parseForm(request.body);
}

interface Cacheable {
  readonly type: string;
  readonly text: string;
  readonly etag: string;
  readonly maxAgeSeconds: number;
}

function cached(
  request: FastifyRequest,
  reply: FastifyReply,
  { type, text, etag, maxAgeSeconds }: Cacheable,
) {
  reply.header('etag', etag).header('cache-control', `public, max-age=${maxAgeSeconds}`);
  const known = request.headers['if-none-match']?.split(',').map((one) => one.trim().replace(/^W\//, ''));
  if (known?.includes(etag) || known?.includes('*')) return reply.code(304).send();
  return reply.type(type).send(text);
}

function failed(services: OAuthServices, error: unknown, request: FastifyRequest, reply: FastifyReply) {
  if (error instanceof TokenRefused) return refuse(reply, error.code, error.message);
  const fault = faultOf(error);
  if (fault?.retryable) return refuse(reply, 'temporarily_unavailable', fault.message);
  if (fault?.code === 'unauthenticated') return refuse(reply, 'invalid_client', fault.message);
  if (fault?.code === 'forbidden') return refuse(reply, 'insufficient_scope', fault.message);
  if (fault !== undefined) return refuse(reply, 'invalid_request', fault.message);
  services.metrics.internalError();
  services.log.error(
    { requestId: request.id, route: request.routeOptions.url, err: error },
    'a request failed',
  );
  return refuse(reply, 'server_error', 'Something broke here. Quote the x-request-id.');
}

function refuse(reply: FastifyReply, code: OAuthErrorCode, description: string) {
  const chosen = oauthErrors[code].status;
  if (chosen === 401) reply.header('www-authenticate', 'Basic realm="keyswarm"');
  if (chosen === 503) reply.header('retry-after', '1');
  return reply
    .code(chosen)
    .type('application/json')
    .send(JSON.stringify({ error: code, error_description: description }));
}
