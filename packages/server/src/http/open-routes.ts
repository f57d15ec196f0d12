import { buildOpenApi, operations, type Readiness } from '@keyswarm/contract';
import type { FastifyInstance } from 'fastify';
import { madeForAll } from '../runtime/made-for-all.ts';
import { type ConsoleFiles, sendPage, wantsPage } from './console-routes.ts';
import { type GuardServices, openGuardOf } from './guard.ts';

export interface OpenServices extends GuardServices {
  /** Asked anew at every call; see readiness.ts. */
  readonly readiness: () => Promise<Readiness>;
  /** In place of this process's own metrics those of all that share its port, in the exposition format. */
  readonly metricsText?: () => Promise<string>;
}

export interface IndexServices extends GuardServices {
  readonly console: ConsoleFiles;
  readonly version: string;
}

/** What anyone may ask: whether it lives, whether it may be sent traffic, and what it counts. */
export function registerOpenRoutes(app: FastifyInstance, services: OpenServices): void {
  const { metrics } = services;
  const metricsText = madeForAll(async () =>
    Buffer.from(await (services.metricsText?.() ?? metrics.registry.metrics())),
  );
  app.get(operations.healthz.path, { onRequest: openGuardOf(services, 'healthz') }, () => ({ status: 'ok' }));

  app.get(operations.readyz.path, { onRequest: openGuardOf(services, 'readyz') }, async (_request, reply) => {
    const readiness = await services.readiness();
    return reply.code(readiness.status === 'ready' ? 200 : 503).send(readiness);
  });

  app.get(operations.metrics.path, { onRequest: openGuardOf(services, 'metrics') }, async (_request, reply) =>
    reply.type(operations.metrics.response.contentType).send(await metricsText()),
  );
}

/** What a server can do, and where that is said. */
export function registerIndex(app: FastifyInstance, services: IndexServices): void {
  const { version } = services;
  const openApi = Buffer.from(JSON.stringify(buildOpenApi({ version })));
  const index = JSON.stringify({
    name: 'keyswarm',
    version,
    api: '/openapi.json',
    ready: '/readyz',
    metrics: '/metrics',
  });

  app.get(operations.openapi.path, { onRequest: openGuardOf(services, 'openapi') }, (_request, reply) =>
    reply.type('application/json').send(openApi),
  );

  app.get('/', { onRequest: openGuardOf(services, undefined) }, (request, reply) =>
    wantsPage(request)
      ? sendPage(services.console, request, reply)
      : reply.header('vary', 'Accept').type('application/json').send(index),
  );
}
