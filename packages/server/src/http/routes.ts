import { type AnyOperation, idempotencyKeyPattern, operationIds, operations } from '@keyswarm/contract';
import { assert, Fault } from '@keyswarm/core';
import type { FastifyInstance, FastifyRequest, FastifySchema, HTTPMethods } from 'fastify';
import type { Random } from '../runtime/random.ts';
import { IdempotencyScope } from '../signing/idempotency.ts';
import type { MasterKey } from '../signing/master-key.ts';
import { authenticateAgain } from './authenticate.ts';
import { type GuardServices, guardOf } from './guard.ts';
import type { Call, GuardedOperation, Handler, HandlerServices } from './handler.ts';
import { houseHandlers } from './handlers/house-handlers.ts';
import { importHandler } from './handlers/import-handler.ts';
import { keyHandlers } from './handlers/key-handlers.ts';
import { readHandlers } from './handlers/read-handlers.ts';
import { verifyHandlers } from './handlers/verify-handlers.ts';

export interface RouteServices extends GuardServices, HandlerServices {
  readonly masterKey: MasterKey;
  readonly random: Random;
}

type AnyHandler = Handler<GuardedOperation>;

/** Registers every guarded row of the contract's table; a row without a handler does not compile. */
export function registerOperations(app: FastifyInstance, services: RouteServices): void {
  const handlers: { readonly [Id in GuardedOperation]: Handler<Id> } = {
    ...keyHandlers(services),
    ...importHandler(services),
    ...readHandlers(services),
    ...houseHandlers(services),
    ...verifyHandlers(services),
  };
  for (const id of operationIds) {
    if (!isGuarded(id)) continue;
    const operation: AnyOperation = operations[id];
    const handler = handlers[id] as unknown as AnyHandler;
    app.route({
      method: operation.method,
      url: operation.path,
      bodyLimit: Math.max(operation.bodyLimitBytes, 1),
      schema: schemaOf(operation),
      onRequest: guardOf(services, id, operation),
      ...(operation.mutates ? { preValidation: absentBodyIsEmpty } : {}),
      handler: operation.idempotent
        ? idempotentRoute(operation, handler, services)
        : plainRoute(operation, handler, services),
    });
  }
}

function isGuarded(id: keyof typeof operations): id is GuardedOperation {
  return (
    operations[id].scope !== null && !operations[id].path.startsWith('/v1/feed') && id !== 'listVerifiers'
  );
}

function schemaOf(operation: AnyOperation): FastifySchema {
  const hasParams = operation.path.includes(':');
  return {
    ...(operation.body === undefined ? {} : { body: operation.body }),
    ...(hasParams ? { params: operation.params } : {}),
    querystring: operation.query,
    response: { [operation.response.status]: operation.response.schema },
  };
}

function plainRoute(operation: AnyOperation, handler: AnyHandler, services: RouteServices) {
  assert(operation.response.status === 200, 'only what is idempotent creates');
  return (request: FastifyRequest) => handler(callOf(request, operation, services, undefined));
}

function idempotentRoute(operation: AnyOperation, handler: AnyHandler, services: RouteServices) {
  const { status } = operation.response;
  return (request: FastifyRequest, reply: { code(status: number): unknown }) => {
    const idempotency = idempotencyOf(request, services);
    if (status !== 200) reply.code(status);
    return handler(callOf(request, operation, services, idempotency));
  };
}

/**
 * The schemas have been applied, so the parts are what the operation's types say. A body may have taken its time,
 * and a write may still have to wait: the management key is asked for once more here, and again in the lane.
 */
function callOf(
  request: FastifyRequest,
  { method, mutates, scope }: AnyOperation,
  { authenticator }: RouteServices,
  idempotency: IdempotencyScope | undefined,
): Call<GuardedOperation> {
  const { params, query, body } = request;
  assert(request.caller !== null && scope !== null, 'a guarded request has a caller');
  const plea = { authorization: request.headers.authorization, requestId: request.id, scope };
  const again = method === 'GET' ? request.caller : authenticateAgain(authenticator, plea);
  const recheck = () => void authenticateAgain(authenticator, plea);
  const caller = mutates ? { ...again, recheck } : again;
  return { params, query, body, caller, idempotency } as Call<GuardedOperation>;
}

/** Every field of some bodies may be absent, and so may the body itself. */
function absentBodyIsEmpty(request: FastifyRequest, _reply: unknown, done: () => void): void {
  if (request.body === undefined) request.body = {};
  done();
}

const idempotencyKeyShape = new RegExp(idempotencyKeyPattern);

function idempotencyOf(request: FastifyRequest, services: RouteServices): IdempotencyScope | undefined {
  const idempotencyKey = request.headers['idempotency-key'];
  if (idempotencyKey === undefined) return undefined;
  if (typeof idempotencyKey !== 'string' || !idempotencyKeyShape.test(idempotencyKey)) {
    throw new Fault('invalid_field', {
      detail: 'This Idempotency-Key is not accepted.',
      field: 'Idempotency-Key',
      expected: '1 to 255 visible ASCII characters, without blanks',
    });
  }
  const { caller, method, body } = request;
  assert(caller !== null, 'a guarded request has a caller');
  const path = (request.raw.url ?? '').split('?', 1)[0] ?? '';
  const { workspaceId, keyId: callerId } = caller;
  const described = { workspaceId, callerId, idempotencyKey, method, path, body };
  return new IdempotencyScope(described, services.masterKey, services.random);
}

const allMethods: readonly HTTPMethods[] = ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS'];

/** A path that exists answers other methods with 405 and says which it takes (RFC 9110, section 15.5.6). */
export function refuseOtherMethods(app: FastifyInstance): void {
  const taken = new Map<string, Set<HTTPMethods>>([['/', new Set(['GET', 'HEAD'])]]);
  for (const { method, path } of Object.values<AnyOperation>(operations)) {
    const methods = taken.get(path) ?? new Set();
    taken.set(path, methods.add(method));
    if (method === 'GET') methods.add('HEAD');
  }
  for (const [url, methods] of taken) {
    const allow = [...methods].join(', ');
    app.route({
      method: allMethods.filter((method) => !methods.has(method)),
      url,
      onRequest: (_request, reply, done) => {
        reply.header('allow', allow);
        done(
          new Fault('method_not_allowed', {
            detail: 'This path does not take this method.',
            expected: allow,
          }),
        );
      },
      handler: () => assert(false, 'refused before it came here'),
    });
  }
}
