import {
  createServer,
  type IncomingMessage,
  type RequestListener,
  type Server,
  type ServerResponse,
} from 'node:http';
import { assert, type Fault } from '@keyswarm/core';
import Fastify, { type FastifyInstance, type FastifyReply, type FastifyRequest } from 'fastify';
import type { ServerConfig } from '../config/config-schema.ts';
import { headerBytesMax, socketIdleMs, timeoutCheckMs } from '../limits.ts';
import type { Log } from '../logging/log.ts';
import type { Random } from '../runtime/random.ts';
import { answerBrokenHttp } from './broken-http.ts';
import { type GuardServices, openGuardOf } from './guard.ts';
import { acceptJsonBodies } from './json-body.ts';
import { Pipelines } from './pipelines.ts';
import { faultOf, internalFault, nothingThere, sendFault } from './problem-reply.ts';
import { requestIdMaker } from './request-id.ts';
import { hasKeyString, secretInUrl } from './secret-in-url.ts';
import { schemaCompiler } from './validate.ts';

/*
 * The wire. A request goes: head → guard (URL, place, management key) → body → schema → handler → use-case, and
 * its reply through a serializer that knows only the fields of the contract, so that nothing a record happens to
 * carry can leave by accident. A handler translates; it decides nothing.
 *
 * What differs from Fastify's defaults, and why:
 *  - nothing is coerced, filled in or dropped (validate.ts);
 *  - every error is a problem document with a code, the framework's own too (problem-reply.ts);
 *  - a path that exists answers other methods with 405, not 404;
 *  - there is no log line per request, and none at all that holds a URL, a header or a body;
 *  - requests that arrive while it drains get a 503 that says to go elsewhere.
 */

/** What the sockets are bounded by. */
export type SocketLimits = Pick<
  ServerConfig,
  'keepAliveTimeoutMs' | 'requestTimeoutMs' | 'headersTimeoutMs' | 'socketsMax'
>;

export interface AppServices extends GuardServices {
  readonly config: SocketLimits;
  readonly log: Log;
  readonly random: Random;
}

/** Requests that are answered past the framework, and which those are. */
export interface ShortWay {
  takes(request: IncomingMessage): boolean;
  answer(request: IncomingMessage, response: ServerResponse): void;
}

/** What is said of a path that isn't there; undefined: that there is nothing. */
export type MissingPath = (path: string) => Fault | undefined;

export type RequestIdOf = (request: IncomingMessage) => string;

/** The framework with all of the above and no operation yet; `waysOf` makes what goes past it. */
export function buildApp(
  services: AppServices,
  waysOf: (requestIdOf: RequestIdOf) => readonly ShortWay[],
  missingPath: MissingPath = () => undefined,
): FastifyInstance {
  const { config, log } = services;
  const fail = (error: unknown, request: FastifyRequest, reply: FastifyReply): FastifyReply => {
    const fault = faultOf(error);
    if (fault !== undefined) return sendFault(reply, fault, request.id);
    services.metrics.internalError();
    log.error({ requestId: request.id, route: request.routeOptions.url, err: error }, 'a request failed');
    return sendFault(reply, internalFault(), request.id);
  };
  const requestIdOf = requestIdMaker(services.random);
  const ways = waysOf(requestIdOf);
  const app = Fastify({
    logger: false,
    genReqId: requestIdOf,
    requestIdHeader: false,
    routerOptions: { maxParamLength: 128 },
    return503OnClosing: false,
    serverFactory: (handler) => createHttpServer(config, ways, handler),
    frameworkErrors: (error, request, reply) => {
      // All of them are of the URL, and have it in their messages: nothing is logged.
      const fault = hasKeyString(request.raw.url ?? '') ? secretInUrl() : (faultOf(error) ?? nothingThere());
      sendFault(reply as unknown as FastifyReply, fault, request.id);
    },
    clientErrorHandler: answerBrokenHttp,
  });
  app.decorateRequest('caller', null);
  app.decorateRequest('signedHead', null);
  app.setValidatorCompiler(schemaCompiler());
  app.setErrorHandler(fail);
  acceptJsonBodies(app);
  refuseBadUrls(app, services, missingPath);
  return app;
}

function createHttpServer(
  config: SocketLimits,
  ways: readonly ShortWay[],
  framework: RequestListener,
): Server {
  const options = {
    keepAliveTimeout: config.keepAliveTimeoutMs,
    requestTimeout: config.requestTimeoutMs,
    headersTimeout: config.headersTimeoutMs,
    maxHeaderSize: headerBytesMax,
    connectionsCheckingInterval: timeoutCheckMs,
  };
  const pipelines = new Pipelines();
  const server = createServer(options, (request, response) => {
    if (!pipelines.admits(request, response)) return;
    for (const way of ways) if (way.takes(request)) return way.answer(request, response);
    framework(request, response);
  });
  server.setTimeout(socketIdleMs);
  server.maxConnections = config.socketsMax;
  return server;
}

/**
 * Before any body is read, and before any route's own guard: a URL with a key in it is refused whatever it asks
 * for, and what is sent to a path that isn't there needs no parsing.
 */
function refuseBadUrls(app: FastifyInstance, services: GuardServices, missingPath: MissingPath): void {
  const count = openGuardOf(services, undefined);
  app.addHook('onRequest', (request, reply, done) => {
    const fault = faultOfUrl(request, missingPath);
    if (fault === undefined) return done();
    count(request, reply, () => done(fault));
  });
  app.setNotFoundHandler(() => assert(false, 'refused before it came here'));
}

function faultOfUrl(request: FastifyRequest, missingPath: MissingPath): Fault | undefined {
  const url = request.raw.url ?? '';
  if (hasKeyString(url)) return secretInUrl();
  if (!request.is404) return undefined;
  const [path = ''] = url.split('?');
  return missingPath(path) ?? nothingThere();
}
