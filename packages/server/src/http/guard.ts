import type { AnyOperation, OperationId } from '@keyswarm/contract';
import { assert, Fault } from '@keyswarm/core';
import type { FastifyReply, FastifyRequest, HookHandlerDoneFunction } from 'fastify';
import type { Caller } from '../access/caller.ts';
import { shedRetryAfterMs } from '../limits.ts';
import { ServerMetrics, type ShedReason } from '../metrics/server-metrics.ts';
import type { Budget, ShareOf } from './admission.ts';
import { type Authenticator, authenticate } from './authenticate.ts';
import {
  authenticateSigned,
  type SignedCaller,
  type SignedHead,
  signatureWanted,
  signedRequestOf,
} from './signed-management.ts';
import { Visit, type VisitKeepers } from './visit.ts';

declare module 'fastify' {
  interface FastifyRequest {
    /** Set by the guard before any handler runs; null on routes that have none. */
    caller: Caller | null;
    /** Set beside it where the request is signed. */
    signedHead: SignedHead | null;
  }
}

export interface GuardServices extends VisitKeepers {
  readonly authenticator: Authenticator;
}

type Hook = (request: FastifyRequest, reply: FastifyReply, done: HookHandlerDoneFunction) => void;

/** How one kind of operation finds out who is asking, and what it gives them. */
export interface Doorman<Who extends Caller> {
  readonly budget: Budget;
  readonly share: ShareOf;
  /** Throws the Fault of who may not come in. A promise only where a refusal has to wait for news. */
  identify(request: FastifyRequest): Who | Promise<Who>;
  /** Leaves who was let in where the handler finds them. */
  seat(request: FastifyRequest, who: Who): void;
}

/**
 * What stands before every operation that needs a key, in this order: a place among the requests under
 * way, the key itself, the caller's share. All of it on the head of the request, before a byte of the body is read.
 */
export function guardBy<Who extends Caller>(
  services: GuardServices,
  id: OperationId,
  operation: AnyOperation,
  doorman: Doorman<Who>,
): Hook {
  const operationPlace = ServerMetrics.placeOf(id);
  const takesBody = operation.method !== 'GET';
  const { admission } = services;
  const admit = (request: FastifyRequest, visit: Visit): void | Promise<void> => {
    const bodyBytes = takesBody ? bodyBytesOf(request, operation.bodyLimitBytes) : 0;
    const place = admission.enter(doorman.budget, bodyBytes);
    if (typeof place === 'string') throw shedFault(place);
    visit.place = place;
    const who = doorman.identify(request);
    if (who instanceof Promise) return who.then(seat);
    seat(who);
    function seat(found: Who): void {
      // The visit may have ended while news was waited for; its place is given back already.
      if (visit.place !== undefined && !admission.claimShare(visit.place, found.keyId, doorman.share))
        throw shareFault();
      doorman.seat(request, found);
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

/** Before every operation that needs a management key. */
export function guardOf(services: GuardServices, id: OperationId, operation: AnyOperation): Hook {
  const { scope } = operation;
  assert(scope !== null, 'a guarded operation needs a scope');
  return guardBy<Caller>(services, id, operation, {
    budget: scope === 'keys:verify' ? 'verifications' : 'mutations',
    share: 'manager',
    identify(request) {
      const { authenticator } = services;
      const { headers, id: requestId } = request;
      const plea = { authorization: headers.authorization, requestId, scope };
      const signed = signedRequestOf(request.raw, authenticator.publicUrl ?? null);
      if (signed === undefined) {
        if (authenticator.requiresSignature === true && !isDataPlane(scope)) throw signatureWanted();
        return authenticate(authenticator, plea);
      }
      const seated = ({ caller, head }: SignedCaller) => {
        request.signedHead = head;
        return caller;
      };
      const found = authenticateSigned(authenticator, plea, signed);
      return found instanceof Promise ? found.then(seated) : seated(found);
    },
    seat(request, caller) {
      request.caller = caller;
    },
  });
}

/** What verifiers and access points ask: they have a credential of their own, and it manages nothing. */
function isDataPlane(scope: AnyOperation['scope']): boolean {
  return scope === 'keys:verify' || scope === 'feed:read';
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
    detail: 'Too many requests of this key are under way.',
    retryAfterMs: shedRetryAfterMs,
  });
}
