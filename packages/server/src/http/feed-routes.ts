import type { ServerResponse } from 'node:http';
import { type AnyOperation, type LeaseAskBody, operations, type QueryOf } from '@keyswarm/contract';
import { assert, Fault } from '@keyswarm/core';
import { BadFeedRow, type FeedSource, type FeedView } from '@keyswarm/verifier';
import { serveRows, serveSnapshot, serveStream } from '@keyswarm/verifier/serve-feed';
import type { FastifyInstance, FastifyReply, FastifyRequest, HookHandlerDoneFunction } from 'fastify';
import type { Caller } from '../access/caller.ts';
import { feedPageRows, staleRetryAfterMs, streamRecheckMs } from '../limits.ts';
import { ServerMetrics } from '../metrics/server-metrics.ts';
import type { Timers } from '../runtime/timers.ts';
import { authenticate, authenticateAgain } from './authenticate.ts';
import { shedFault } from './guard.ts';
import { answerLease, type LeaseServices } from './lease-lane.ts';
import { faultOf, internalFault, problemReply } from './problem-reply.ts';
import { Visit } from './visit.ts';

/*
 * The feed for verifiers elsewhere. What goes out is frames, written to the socket as they come; until the first of
 * them, whatever is wrong is a problem document as everywhere. A stream is looked at again every second: it ends when
 * its management key stops being valid, or may read something else than it did.
 */

export interface FeedRouteServices extends LeaseServices {
  readonly timers: Timers;
}

type FeedId = 'askLease' | 'getFeedSnapshot' | 'getFeedRows' | 'streamFeed';

interface Asked {
  readonly request: FastifyRequest;
  readonly response: ServerResponse;
  readonly caller: Caller;
}

export function registerFeedRoutes(app: FastifyInstance, services: FeedRouteServices): void {
  const { feed, timers } = services;

  const sourceOf = (caller: Caller, named: string | undefined) => feed.sourceFor(caller, named?.split(','));

  framed(app, services, 'getFeedSnapshot', async ({ request, response, caller }) => {
    const { keyspaces: named } = request.query as QueryOf<'getFeedSnapshot'>;
    const source = await sourceOf(caller, named);
    const leave = feed.enter('snapshot', caller.keyId);
    const reading = source.reading();
    try {
      if (reading === undefined) throw notReady();
      await serveSnapshot({ response, timers }, reading);
    } finally {
      reading?.close();
      leave();
    }
  });

  framed(app, services, 'getFeedRows', async ({ request, response, caller }) => {
    const query = request.query as QueryOf<'getFeedRows'>;
    const source = await sourceOf(caller, query.keyspaces);
    const { epoch, ...asked } = rangeOf(query, feed.options.shards);
    const leave = feed.enter('rows', caller.keyId);
    try {
      const served = await serveRows({ response }, { source: ofEpoch(source, epoch), ...asked });
      if (served === 'gone') throw gone();
    } finally {
      leave();
    }
  });

  framed(app, services, 'streamFeed', async ({ request, response, caller }) => {
    const { epoch, after, view, keyspaces: named } = request.query as QueryOf<'streamFeed'>;
    const source = await sourceOf(caller, named);
    const leave = feed.enter('stream', caller.keyId);
    const from = { epoch: Number(epoch), seqs: after.split(',').map(Number), view };
    const hello = { ...feed.options.standing(), view: source.view };
    const stop = timers.every(streamRecheckMs, () => {
      void isStillGiven(services, request, { named: named?.split(','), view: source.view }).then((is) => {
        if (!is) response.end();
      });
    });
    try {
      const ended = serveStream({ response, timers }, { source, from, hello });
      if (ended === 'gone') throw gone();
      await ended;
    } finally {
      stop();
      leave();
    }
  });

  // For what the lane doesn't take: a body without its length, other spellings of its type.
  app.route({
    method: 'POST',
    url: operations.askLease.path,
    bodyLimit: operations.askLease.bodyLimitBytes,
    schema: { body: operations.askLease.body, querystring: operations.askLease.query },
    onRequest: feedGuard(services, 'askLease'),
    handler: async (request, reply) => {
      assert(request.caller !== null, 'a guarded request has a caller');
      const leave = feed.enter('lease', request.caller.keyId);
      try {
        const plea = {
          authorization: request.headers.authorization,
          requestId: request.id,
          scope: 'feed:read',
        } as const;
        const caller = authenticateAgain(services.authenticator, plea);
        const text = await answerLease(feed, caller, request.body as LeaseAskBody);
        return reply.type('application/json; charset=utf-8').send(text);
      } finally {
        leave();
      }
    },
  });
}

function framed(
  app: FastifyInstance,
  services: FeedRouteServices,
  id: Exclude<FeedId, 'askLease'>,
  serve: (asked: Asked) => Promise<void>,
): void {
  const { path, query }: AnyOperation = operations[id];
  app.route({
    method: 'GET',
    url: path,
    // A stream has no head without its body.
    exposeHeadRoute: false,
    schema: { querystring: query },
    onRequest: feedGuard(services, id),
    handler: async (request, reply) => {
      const { caller } = request;
      assert(caller !== null, 'a guarded request has a caller');
      reply.hijack();
      const response = reply.raw;
      try {
        await serve({ request, response, caller });
      } catch (error) {
        fail(services, { request, response, caller }, error);
      }
    },
  });
}

/** As the guard of every operation, but for the place among requests: the feed has its own (feed-door.ts). */
function feedGuard(services: FeedRouteServices, id: FeedId) {
  const operationPlace = ServerMetrics.placeOf(id);
  const { scope } = operations[id];
  return (request: FastifyRequest, reply: FastifyReply, done: HookHandlerDoneFunction) => {
    Visit.begin(reply.raw, services, operationPlace);
    for (const [name, value] of [
      ['x-request-id', request.id],
      ['cache-control', 'no-store'],
      ['x-content-type-options', 'nosniff'],
    ] as const) {
      reply.raw.setHeader(name, value);
    }
    const enter = async (): Promise<void> => {
      if (services.admission.isDraining || services.feed.isClosed) throw shedFault('draining');
      const { authorization } = request.headers;
      request.caller = await authenticate(services.authenticator, {
        authorization,
        requestId: request.id,
        scope,
      });
    };
    enter().then(() => done(), done);
  };
}

/** Is what the stream sends still what its caller is given? While that can't be told, nothing new is known. */
async function isStillGiven(
  { authenticator, feed }: FeedRouteServices,
  request: FastifyRequest,
  { named, view }: { readonly named: readonly string[] | undefined; readonly view: FeedView },
): Promise<boolean> {
  const { authorization } = request.headers;
  try {
    const now = authenticateAgain(authenticator, {
      authorization,
      requestId: request.id,
      scope: 'feed:read',
    });
    return (await feed.sourceFor(now, named, true)).view === view;
  } catch (error) {
    return !(error instanceof Fault) || error.code === 'stale' || error.code === 'store_unavailable';
  }
}

function rangeOf(query: QueryOf<'getFeedRows'>, shards: number) {
  const { epoch, shard, after, up_to: upTo, limit = String(feedPageRows), view } = query;
  const number = (field: string, text: string, min: number, max: number): number => {
    const value = Number(text);
    if (value >= min && value <= max) return value;
    throw new Fault('invalid_field', {
      detail: 'There are no such rows.',
      field,
      expected: `${min} to ${max}`,
    });
  };
  const from = Number(after);
  return {
    epoch: Number(epoch),
    shard: number('shard', shard, 0, shards - 1),
    range: {
      after: from,
      upTo: number('up_to', upTo, from + 1, Number.MAX_SAFE_INTEGER),
      limit: number('limit', limit, 1, feedPageRows),
      view,
    },
  };
}

/** Rows of another epoch are none that this reader could go on with. */
function ofEpoch(source: FeedSource, epoch: number): FeedSource {
  return {
    ...source,
    async rows(shard, range, signal) {
      const stretch = await source.rows(shard, range, signal);
      return stretch === 'gone' || stretch.epoch !== epoch ? 'gone' : stretch;
    },
  };
}

function gone(): Fault {
  return new Fault('gone', { detail: 'Take a snapshot: the feed does not reach back to there.' });
}

function notReady(): Fault {
  return new Fault('stale', {
    detail: 'This relay has loaded nothing yet.',
    retryAfterMs: staleRetryAfterMs,
  });
}

function fail(services: FeedRouteServices, { request, response }: Asked, error: unknown): void {
  const { metrics, log } = services;
  const fault = error instanceof BadFeedRow ? badRow(error) : faultOf(error);
  if (fault === undefined && !response.destroyed) {
    metrics.internalError();
    log.error({ requestId: request.id, route: request.routeOptions.url, err: error }, 'a request failed');
  }
  if (response.headersSent || response.destroyed) {
    response.destroy();
    return;
  }
  const { status, headers, text } = problemReply(fault ?? internalFault(), request.id);
  response.writeHead(status, { ...headers, 'content-length': Buffer.byteLength(text) });
  response.end(text);
}

function badRow({ shard, seq, reason }: BadFeedRow): Fault {
  return new Fault('bad_feed_row', { detail: `This row can not be read: ${reason}.`, extra: { shard, seq } });
}
