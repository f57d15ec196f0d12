import type { AnyOperation, OperationId } from '@keyswarm/contract';
import { assert, Fault } from '@keyswarm/core';
import type { FastifyReply, FastifyRequest, HookHandlerDoneFunction } from 'fastify';
import type { Caller } from '../access/caller.ts';
import { shedRetryAfterMs } from '../limits.ts';
import { ServerMetrics, type ShedReason } from '../metrics/server-metrics.ts';
import type { Budget } from './admission.ts';
import { type Authenticator, authenticate } from './authenticate.ts';
import { Visit, type VisitKeepers } from './visit.ts';

declare module 'fastify' {
  interface FastifyRequest {
    /** Set by the guard before any handler runs; null on routes that have none. */
    caller: Caller | null;
  }
}

export interface GuardServices extends VisitKeepers {
  readonly authenticator: Authenticator;
}

type Hook = (request: FastifyRequest, reply: FastifyReply, done: HookHandlerDoneFunction) => void;

/**
 * What stands before every operation that needs a management key, in this order: a place among the requests under
 * way, the key itself, the caller's share. All of it on the head of the request, before a byte of the body is read.
 */
export function guardOf(services: GuardServices, id: OperationId, operation: AnyOperation): Hook {
  const operationPlace = ServerMetrics.placeOf(id);
  const budget: Budget = operation.scope === 'keys:verify' ? 'verifications' : 'mutations';
  const takesBody = operation.method !== 'GET';
  const { scope } = operation;
  assert(scope !== null, 'a guarded operation needs a scope');
  const { admission, authenticator } = services;

  const admit = (request: FastifyRequest, visit: Visit): void | Promise<void> => {
    const place = admission.enter(budget, takesBody ? bodyBytesOf(request, operation.bodyLimitBytes) : 0);
    if (typeof place === 'string') throw shedFault(place);
    visit.place = place;
    const { authorization } = request.headers;
    const caller = authenticate(authenticator, { authorization, requestId: request.id, scope });
    if (caller instanceof Promise) return caller.then((found) => seat(found));
    seat(caller);

    function seat(found: Caller): void {
      // The visit may have ended while news was waited for; its place is given back already.
      if (visit.place !== undefined && !admission.claimShare(visit.place, found.keyId)) throw shareFault();
      request.caller = found;
    }
  };

  return (request, reply, done) => {
    const visit = Visit.begin(reply.raw, services, operationPlace);
    setCommonHeaders(reply, request.id);
    let waiting: void | Promise<void>;
    try {
      waiting = admit(request, visit);
    } catch (error) {
      return done(error as Error);
    }
    if (waiting === undefined) done();
    else waiting.then(() => done(), done);
  };
}

/** For routes that anyone may call: counted, never shed. */
export function openGuardOf(services: GuardServices, id: OperationId | undefined): Hook {
  const operationPlace = ServerMetrics.placeOf(id);
  return (request, reply, done) => {
    Visit.begin(reply.raw, services, operationPlace);
    setCommonHeaders(reply, request.id);
    done();
  };
}

function setCommonHeaders(reply: FastifyReply, requestId: string): void {
  reply.header('x-request-id', requestId);
  reply.header('cache-control', 'no-store');
  reply.header('x-content-type-options', 'nosniff');
}

/** What the body may take: what it says of itself, or the most it may be if it says nothing. */
function bodyBytesOf(request: FastifyRequest, limitBytes: number): number {
  const { 'content-length': said, 'transfer-encoding': coding } = request.headers;
  if (coding !== undefined) return limitBytes;
  const bytes = said === undefined ? 0 : Number(said);
  return bytes >= 0 && bytes <= limitBytes ? bytes : limitBytes;
}

export function shedFault(reason: ShedReason): Fault {
  const retryAfterMs = shedRetryAfterMs;
  if (reason === 'draining') {
    return new Fault('shutting_down', {
      detail: 'This server is going down; another one may answer.',
      retryAfterMs,
    });
  }
  return new Fault('overloaded', { detail: 'As many requests as can be are under way.', retryAfterMs });
}

export function shareFault(): Fault {
  return new Fault('rate_limited', {
    detail: 'Too many requests of this management key are under way.',
    retryAfterMs: shedRetryAfterMs,
  });
}
