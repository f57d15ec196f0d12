import { type AnyOperation, idempotencyKeyPattern, operationIds, operations } from '@keyswarm/contract';
import { assert, Fault } from '@keyswarm/core';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import type { Caller } from '../access/caller.ts';
import type { UseCasePorts } from '../access/use-case-ports.ts';
import type { DeadLetterPorts } from '../dead-letters/dead-letters.ts';
import type { Random } from '../runtime/random.ts';
import type { Timers } from '../runtime/timers.ts';
import { IdempotencyScope } from '../signing/idempotency.ts';
import type { MasterKey } from '../signing/master-key.ts';
import type { MasterKeys } from '../signing/seal-key.ts';
import type { WebhookPorts } from '../webhooks/change-webhook.ts';
import { serveEventStream, wantsEventStream } from './event-stream.ts';
import type { FeedDoor } from './feed-door.ts';
import type { GuardServices } from './guard.ts';
import { type AnyHandler, callOf, guardedRoute, plainHandler } from './guarded-route.ts';
import {
  feedOperations,
  type GuardedOperation,
  type Handler,
  type HandlerServices,
  liveOperations,
} from './handler.ts';
import { approvalHandlers } from './handlers/approval-handlers.ts';
import { campaignHandlers } from './handlers/campaign-handlers.ts';
import { deliveryHandlers } from './handlers/delivery-handlers.ts';
import { type DemoDoor, demoHandler } from './handlers/demo-handler.ts';
import { enrollmentHandler } from './handlers/enrollment-handler.ts';
import { houseHandlers } from './handlers/house-handlers.ts';
import { importHandler } from './handlers/import-handler.ts';
import { keyHandlers } from './handlers/key-handlers.ts';
import { readHandlers } from './handlers/read-handlers.ts';
import { signingKeyHandlers } from './handlers/signing-key-handlers.ts';
import { verifierHandlers } from './handlers/verifier-handlers.ts';
import { verifyHandlers } from './handlers/verify-handlers.ts';

export interface RouteServices extends GuardServices, HandlerServices {
  readonly masterKey: MasterKey | MasterKeys;
  readonly random: Random;
  readonly feed: FeedDoor;
  /** Absent where there is no demonstration. */
  readonly demo?: DemoDoor | undefined;
  readonly timers: Timers;
  /** What webhooks and dead letters need besides. */
  readonly deliveries: Omit<WebhookPorts & DeadLetterPorts, keyof UseCasePorts>;
}

/** Registers every guarded row of the contract's table; a row without a handler does not compile. */
export function registerOperations(app: FastifyInstance, services: RouteServices): void {
  const handlers: { readonly [Id in GuardedOperation]: Handler<Id> } = {
    ...keyHandlers(services),
    ...importHandler(services),
    ...approvalHandlers(services),
    ...enrollmentHandler(services),
    ...readHandlers(services),
    ...houseHandlers(services),
    ...campaignHandlers(services),
    ...verifyHandlers(services),
    ...verifierHandlers(services),
    ...demoHandler(services),
    ...signingKeyHandlers(services),
    ...deliveryHandlers({ ...services.ports, ...services.deliveries }),
  };
  for (const id of operationIds) {
    if (!isGuarded(id)) continue;
    const operation: AnyOperation = operations[id];
    const handler = handlers[id] as unknown as AnyHandler;
    app.route({
      ...guardedRoute(id, operation, services),
      ...(operation.mutates || takesAbsentBody(operation) ? { preValidation: absentBodyIsEmpty } : {}),
      handler: operation.idempotent
        ? idempotentRoute(operation, handler, services)
        : id === 'listEvents'
          ? eventsHandler(plainHandler(operation, handler, services), services)
          : plainHandler(operation, handler, services),
    });
  }
}

/** One address, two forms of the same: a page, or a stream for whoever asks for one. */
function eventsHandler(page: ReturnType<typeof plainHandler>, services: RouteServices) {
  return (request: FastifyRequest, reply: FastifyReply) =>
    wantsEventStream(request) ? serveEventStream(services, request, reply) : page(request);
}

function isGuarded(id: keyof typeof operations): id is GuardedOperation {
  const apart: readonly string[] = [...feedOperations, ...liveOperations];
  return operations[id].scope !== null && !apart.includes(id);
}

function idempotentRoute(operation: AnyOperation, handler: AnyHandler, services: RouteServices) {
  const { status } = operation.response;
  return (request: FastifyRequest, reply: { code(status: number): unknown }) => {
    assert(request.caller !== null, 'a guarded request has a caller');
    const idempotency = idempotencyOf(request, request.caller, services);
    if (status !== 200) reply.code(status);
    return handler(callOf(request, operation, services, idempotency));
  };
}

/** Where every field may be absent; a change says which one is missing. */
function takesAbsentBody({ method, bodyOptional }: AnyOperation): boolean {
  return method !== 'GET' && bodyOptional;
}

/** Every field of some bodies may be absent, and so may the body itself. */
export function absentBodyIsEmpty(request: FastifyRequest, _reply: unknown, done: () => void): void {
  if (request.body === undefined) request.body = {};
  done();
}

const idempotencyKeyShape = new RegExp(idempotencyKeyPattern);

/** `caller`: whose Idempotency-Key it is. */
export function idempotencyOf(
  request: FastifyRequest,
  caller: Pick<Caller, 'keyId' | 'workspaceId'>,
  services: Pick<RouteServices, 'masterKey' | 'random'>,
): IdempotencyScope | undefined {
  const idempotencyKey = request.headers['idempotency-key'];
  if (idempotencyKey === undefined) return undefined;
  if (typeof idempotencyKey !== 'string' || !idempotencyKeyShape.test(idempotencyKey)) {
    throw new Fault('invalid_field', {
      detail: 'This Idempotency-Key is not accepted.',
      field: 'Idempotency-Key',
      expected: '1 to 255 visible ASCII characters, without blanks',
    });
  }
  const { method, body } = request;
  const path = (request.raw.url ?? '').split('?', 1)[0] ?? '';
  const { workspaceId, keyId: callerId } = caller;
  const described = { workspaceId, callerId, idempotencyKey, method, path, body };
  return new IdempotencyScope(described, services.masterKey, services.random);
}
