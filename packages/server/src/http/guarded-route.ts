import type { AnyOperation, OperationId } from '@keyswarm/contract';
import { assert } from '@keyswarm/core';
import type { FastifyRequest, FastifySchema, HTTPMethods } from 'fastify';
import type { IdempotencyScope } from '../signing/idempotency.ts';
import { authenticateAgain } from './authenticate.ts';
import { type GuardServices, guardOf } from './guard.ts';
import type { Call, GuardedOperation, Handler } from './handler.ts';
import { authenticateSignerAgain } from './signed-management.ts';
import { whileConnected } from './while-connected.ts';

export type AnyHandler = Handler<GuardedOperation>;

/** Of a route that needs a management key: all but what is done behind the guard. */
export function guardedRoute(id: OperationId, operation: AnyOperation, services: GuardServices) {
  return {
    method: operation.method as HTTPMethods,
    url: operation.path,
    bodyLimit: Math.max(operation.bodyLimitBytes, 1),
    schema: schemaOf(operation),
    onRequest: guardOf(services, id, operation),
  };
}

export function schemaOf(operation: AnyOperation): FastifySchema {
  const hasParams = operation.path.includes(':');
  return {
    ...(operation.body === undefined ? {} : { body: operation.body }),
    ...(hasParams ? { params: operation.params } : {}),
    querystring: operation.query,
    response: { [operation.response.status]: operation.response.schema },
  };
}

export function plainHandler(operation: AnyOperation, handler: AnyHandler, services: GuardServices) {
  assert(operation.response.status === 200, 'only what is idempotent creates');
  return (request: FastifyRequest) => handler(callOf(request, operation, services, undefined));
}

/**
 * The schemas have been applied, so the parts are what the operation's types say. A body may have taken its time,
 * and a write may still have to wait: the management key is asked for once more here, and again in the lane.
 */
export function callOf(
  request: FastifyRequest,
  { method, mutates, scope }: AnyOperation,
  { authenticator }: GuardServices,
  idempotency: IdempotencyScope | undefined,
): Call<GuardedOperation> {
  const { params, query, body } = request;
  assert(request.caller !== null && scope !== null, 'a guarded request has a caller');
  const plea = { authorization: request.headers.authorization, requestId: request.id, scope };
  const { signedHead } = request;
  const ask = () =>
    signedHead === null
      ? authenticateAgain(authenticator, plea)
      : authenticateSignerAgain(authenticator, plea, signedHead);
  const again = method === 'GET' ? request.caller : ask();
  const recheck = () => void ask();
  const caller = mutates ? { ...again, recheck } : again;
  const patience: Pick<Call<GuardedOperation>, 'whileConnected'> = mutates
    ? { whileConnected: (work) => whileConnected(request.raw.socket, work) }
    : {};
  return { params, query, body, caller, idempotency, ...patience } as Call<GuardedOperation>;
}
