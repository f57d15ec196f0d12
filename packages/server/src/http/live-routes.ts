import { operations } from '@keyswarm/contract';
import { assert, Fault, toProblem } from '@keyswarm/core';
import type { FastifyInstance, FastifyReply, FastifyRequest, HookHandlerDoneFunction } from 'fastify';
import { liveBufferedBytesMax } from '../limits.ts';
import type { LiveFlow } from '../live/live-flow.ts';
import { ServerMetrics } from '../metrics/server-metrics.ts';
import { authenticate, authenticateAgain } from './authenticate.ts';
import { type GuardServices, shedFault } from './guard.ts';
import { Visit } from './visit.ts';

/*
 * `GET /v1/live`: a frame a second, as server-sent events, for as long as the management key holds. It isn't a request
 * under way: it has bounds of its own (live-flow.ts), and a server that goes down ends it first. The key is looked at
 * before each frame, so that a revoked one sees nothing more than a second later; who does not take what is sent is
 * cut off.
 */

export interface LiveRouteServices extends GuardServices {
  readonly live: LiveFlow;
}

const { path, scope } = operations.streamLive;
const operationPlace = ServerMetrics.placeOf('streamLive');

export function registerLive(app: FastifyInstance, services: LiveRouteServices): void {
  const open = new Set<() => void>();
  app.addHook('preClose', (done) => {
    for (const end of open) end();
    done();
  });
  app.route({
    method: 'GET',
    url: path,
    // A stream has no head without its body.
    exposeHeadRoute: false,
    schema: { querystring: operations.streamLive.query },
    onRequest: (request, reply, done) => admit(services, request, reply, done),
    handler(request, reply) {
      const { caller } = request;
      assert(caller !== null, 'a guarded request has a caller');
      stream(services, request, reply, open);
      return reply;
    },
  });
}

/** As the guard of every operation, but for the place among requests. */
function admit(
  services: LiveRouteServices,
  request: FastifyRequest,
  reply: FastifyReply,
  done: HookHandlerDoneFunction,
): void {
  Visit.begin(reply.raw, services, operationPlace);
  reply.header('x-request-id', request.id);
  reply.header('cache-control', 'no-store');
  reply.header('x-content-type-options', 'nosniff');
  const enter = async (): Promise<void> => {
    if (services.admission.isDraining) throw shedFault('draining');
    const { authorization } = request.headers;
    request.caller = await authenticate(services.authenticator, {
      authorization,
      requestId: request.id,
      scope,
    });
  };
  enter().then(() => done(), done);
}

function stream(
  { live, authenticator, admission }: LiveRouteServices,
  request: FastifyRequest,
  reply: FastifyReply,
  open: Set<() => void>,
): void {
  const { caller } = request;
  assert(caller !== null, 'a guarded request has a caller');
  const response = reply.raw;
  const plea = { authorization: request.headers.authorization, requestId: request.id, scope };
  const end = (fault?: Fault): void => {
    open.delete(endForDrain);
    leave();
    if (fault !== undefined && !response.writableEnded) {
      response.write(`event: end\ndata: ${JSON.stringify(toProblem(fault, request.id))}\n\n`);
    }
    response.end();
  };
  const endForDrain = (): void => end(shedFault('draining'));
  // Before the head is written: whoever is too many gets a problem as everywhere.
  const leave = live.watch(caller.workspaceId, caller.keyId, (frame) => {
    if (admission.isDraining) return end(shedFault('draining'));
    try {
      authenticateAgain(authenticator, plea);
    } catch (error) {
      // While nothing can be proved of the key, nothing new is told; the watcher sees that frames stay out.
      if (error instanceof Fault) return error.code === 'stale' ? undefined : end(error);
      return end();
    }
    response.write(`event: frame\ndata: ${frame}\n\n`);
    if (response.writableLength > liveBufferedBytesMax) response.destroy();
  });
  open.add(endForDrain);
  reply.hijack();
  response.on('close', () => {
    open.delete(endForDrain);
    leave();
  });
  response.writeHead(200, {
    'content-type': 'text/event-stream; charset=utf-8',
    'cache-control': 'no-store, no-transform',
    'x-content-type-options': 'nosniff',
    'x-request-id': request.id,
    // nginx would hold frames back until its buffer is full.
    'x-accel-buffering': 'no',
  });
  response.write(': the flow\n\n');
}
