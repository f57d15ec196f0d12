import { type AnyOperation, type OperationId, operationIds, operations } from '@keyswarm/contract';
import { assert, Fault } from '@keyswarm/core';
import type { FastifyInstance, HTTPMethods } from 'fastify';

const allMethods: readonly HTTPMethods[] = ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS'];

/** A path that exists answers other methods with 405 and says which it takes (RFC 9110, section 15.5.6). */
export function refuseOtherMethods(app: FastifyInstance, ids: readonly OperationId[] = operationIds): void {
  const taken = new Map<string, Set<HTTPMethods>>();
  if (ids.includes('openapi')) taken.set('/', new Set(['GET', 'HEAD']));
  for (const id of ids) {
    const { method, path }: AnyOperation = operations[id];
    const methods = taken.get(path) ?? new Set();
    taken.set(path, methods.add(method));
    if (method === 'GET') methods.add('HEAD');
  }
  refuseAllBut(app, taken);
}

/** The same for paths that stand beside the table of operations. */
export function refuseMethodsBut(
  app: FastifyInstance,
  paths: { readonly GET: readonly string[]; readonly POST: readonly string[] },
): void {
  refuseAllBut(
    app,
    new Map([
      ...paths.GET.map((path) => [path, new Set<HTTPMethods>(['GET', 'HEAD'])] as const),
      ...paths.POST.map((path) => [path, new Set<HTTPMethods>(['POST'])] as const),
    ]),
  );
}

function refuseAllBut(app: FastifyInstance, taken: ReadonlyMap<string, ReadonlySet<HTTPMethods>>): void {
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
