import { type AnyOperation, operationIds, operations } from '@keyswarm/contract';
import { assert } from '@keyswarm/core';
import type { FastifyInstance, FastifyRequest, HTTPMethods } from 'fastify';
import type { Holder } from '../access/holder.ts';
import { type GuardServices, guardBy } from './guard.ts';
import { schemaOf } from './guarded-route.ts';
import { type HolderCall, type HolderHandler, type HolderOperation, isHolderOperation } from './handler.ts';
import { enrollHandlers } from './handlers/enroll-handlers.ts';
import { selfHandlers } from './handlers/self-handlers.ts';
import { type HolderPlea, identifyHolder, identifyHolderAgain } from './identify-holder.ts';
import { absentBodyIsEmpty, idempotencyOf, type RouteServices } from './routes.ts';
import { whileConnected } from './while-connected.ts';

declare module 'fastify' {
  interface FastifyRequest {
    /** Set by the guard of an operation that the holder of a key asks for; null on all others. */
    holder: Holder | null;
  }
}

type AnyHandler = HolderHandler<HolderOperation>;

/** Registers every row of the contract's table that the holder of a key asks for. */
export function registerHolderOperations(app: FastifyInstance, services: RouteServices): void {
  const handlers: { readonly [Id in HolderOperation]: HolderHandler<Id> } = {
    ...selfHandlers(services),
    ...enrollHandlers(services),
  };
  app.decorateRequest('holder', null);
  for (const id of operationIds) {
    if (!isHolderOperation(id)) continue;
    const operation: AnyOperation = operations[id];
    const handler = handlers[id] as unknown as AnyHandler;
    const { status } = operation.response;
    app.route({
      method: operation.method as HTTPMethods,
      url: operation.path,
      bodyLimit: Math.max(operation.bodyLimitBytes, 1),
      schema: schemaOf(operation),
      onRequest: guardBy<Holder>(services, id, operation, {
        budget: 'mutations',
        share: operation.holder === 'enrollment' ? 'enrollment' : 'holder',
        identify: (request) => identifyHolder(services.authenticator, pleaOf(request, id)),
        seat(request, holder) {
          request.holder = holder;
        },
      }),
      ...(operation.mutates ? { preValidation: absentBodyIsEmpty } : {}),
      handler: (request, reply) => {
        const call = callOf(request, id, services);
        if (status !== 200) reply.code(status);
        return handler(call);
      },
    });
  }
}

function pleaOf(request: FastifyRequest, operation: HolderOperation): HolderPlea {
  return { authorization: request.headers.authorization, requestId: request.id, operation };
}

/** A body may have taken its time, and a write may still have to wait: the key is looked at again, here and in the lane. */
function callOf(
  request: FastifyRequest,
  id: HolderOperation,
  services: RouteServices & GuardServices,
): HolderCall<HolderOperation> {
  const { query, body, holder: first } = request;
  assert(first !== null, 'a guarded request has a holder');
  const { mutates }: AnyOperation = operations[id];
  if (!mutates) return { query, body, holder: first, idempotency: undefined } as HolderCall<HolderOperation>;
  const plea = pleaOf(request, id);
  const again = () => identifyHolderAgain(services.authenticator, plea);
  const holder: Holder = { ...again(), recheck: () => void again() };
  const idempotency = idempotencyOf(request, holder, services);
  return {
    query,
    body,
    holder,
    idempotency,
    whileConnected: (work) => whileConnected(request.raw.socket, work),
  } as HolderCall<HolderOperation>;
}
