import type { FastifyInstance } from 'fastify';
import {
  type AppServices,
  buildApp,
  type MissingPath,
  type RequestIdOf,
  type ShortWay,
} from './build-app.ts';
import { type ConsoleServices, registerConsole } from './console-routes.ts';
import { type FeedRouteServices, registerFeedRoutes } from './feed-routes.ts';
import { verifyHandlers } from './handlers/verify-handlers.ts';
import { registerHolderOperations } from './holder-routes.ts';
import { LeaseLane } from './lease-lane.ts';
import { type LiveRouteServices, registerLive } from './live-routes.ts';
import { type OAuthServices, registerOAuthRoutes } from './oauth/oauth-routes.ts';
import { type IndexServices, type OpenServices, registerIndex, registerOpenRoutes } from './open-routes.ts';
import { refuseOtherMethods } from './other-methods.ts';
import { type RouteServices, registerOperations } from './routes.ts';
import { VerifyLane } from './verify-lane.ts';

export interface HttpServices
  extends RouteServices,
    OpenServices,
    IndexServices,
    AppServices,
    FeedRouteServices,
    LiveRouteServices,
    ConsoleServices {
  /** Tokens, and what is said of them; absent where nothing signs any. */
  readonly oauth?: Pick<OAuthServices, 'ports' | 'statusLists'> | undefined;
  /** What is answered past the framework besides verification. */
  readonly ways?: (requestIdOf: RequestIdOf) => readonly ShortWay[];
  readonly missingPath?: MissingPath;
}

/** The whole API of a server, on what `build-app.ts` describes. */
export function buildHttpServer(services: HttpServices): FastifyInstance {
  const waysOf = (requestIdOf: RequestIdOf): readonly ShortWay[] => [
    new VerifyLane({ ...services, requestIdOf, handler: verifyHandlers(services).verifyKey }),
    new LeaseLane(services, requestIdOf),
    ...(services.ways?.(requestIdOf) ?? []),
  ];
  const app = buildApp(services, waysOf, services.missingPath);
  registerOperations(app, services);
  registerHolderOperations(app, services);
  registerFeedRoutes(app, services);
  if (services.oauth !== undefined) registerOAuthRoutes(app, { ...services, ...services.oauth });
  registerOpenRoutes(app, services);
  registerLive(app, services);
  registerIndex(app, services);
  registerConsole(app, services);
  refuseOtherMethods(app);
  return app;
}
