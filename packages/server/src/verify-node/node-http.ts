import { type AnyOperation, type OperationId, operations } from '@keyswarm/contract';
import type { FastifyInstance } from 'fastify';
import type { VerifyPorts } from '../access/use-case-ports.ts';
import { forwardAuthIsOff } from '../gateways/forward-auth-ways.ts';
import { type AppServices, buildApp, type RequestIdOf, type ShortWay } from '../http/build-app.ts';
import type { FeedDoor } from '../http/feed-door.ts';
import { registerFeedRoutes } from '../http/feed-routes.ts';
import { type AnyHandler, guardedRoute, plainHandler } from '../http/guarded-route.ts';
import { feedOperations } from '../http/handler.ts';
import { verifyHandlers } from '../http/handlers/verify-handlers.ts';
import { LeaseLane } from '../http/lease-lane.ts';
import { type OpenServices, registerOpenRoutes } from '../http/open-routes.ts';
import { refuseOtherMethods } from '../http/other-methods.ts';
import { VerifyLane } from '../http/verify-lane.ts';
import type { Timers } from '../runtime/timers.ts';
import { type AskAuthority, withFallback } from './fallback.ts';
import { managedElsewhere } from './managed-elsewhere.ts';

export interface NodeHttpServices extends AppServices, OpenServices {
  readonly ports: VerifyPorts;
  /** Asked for what is stale here, where that is allowed. */
  readonly askAuthority: AskAuthority | undefined;
  /** Where the feed is served to other verifiers. */
  readonly feed: FeedDoor | undefined;
  readonly timers: Timers;
  /** What is answered past the framework besides verification: forward-auth, the feed. */
  readonly ways: (requestIdOf: RequestIdOf) => readonly ShortWay[];
}

const verifications = ['verifyKey', 'verifyKeysBulk'] as const satisfies readonly OperationId[];
const offered: readonly OperationId[] = [...verifications, 'healthz', 'readyz', 'metrics'];

/** The part of the API that needs nothing but memory; what a server does is refused as such, any other path is 404. */
export function buildNodeServer(services: NodeHttpServices): FastifyInstance {
  const { feed } = services;
  const judged = verifyHandlers(services);
  const handlers = { ...judged, verifyKey: withFallback(judged.verifyKey, services.askAuthority) };
  const app = buildApp(
    services,
    (requestIdOf) => [
      new VerifyLane({ ...services, requestIdOf, handler: handlers.verifyKey }),
      ...(feed === undefined ? [] : [new LeaseLane({ ...services, feed }, requestIdOf)]),
      ...services.ways(requestIdOf),
    ],
    (path) => managedElsewhere(path) ?? forwardAuthIsOff(path),
  );
  for (const id of verifications) {
    const operation: AnyOperation = operations[id];
    const handler = handlers[id] as unknown as AnyHandler;
    app.route({
      ...guardedRoute(id, operation, services),
      handler: plainHandler(operation, handler, services),
    });
  }
  if (feed !== undefined) registerFeedRoutes(app, { ...services, feed });
  registerOpenRoutes(app, services);
  refuseOtherMethods(app, feed === undefined ? offered : [...offered, ...feedOperations]);
  return app;
}
