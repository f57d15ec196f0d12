import type { IncomingMessage, ServerResponse } from 'node:http';
import { type LeaseAskBody, operations } from '@keyswarm/contract';
import { assert } from '@keyswarm/core';
import { reachOf } from '@keyswarm/verifier';
import { decodeLeaseRequest, encodeLeaseAnswer } from '@keyswarm/verifier/lease-messages';
import type { Caller } from '../access/caller.ts';
import type { Log } from '../logging/log.ts';
import { ServerMetrics } from '../metrics/server-metrics.ts';
import { authenticate, authenticateAgain, type Plea } from './authenticate.ts';
import type { RequestIdOf, ShortWay } from './build-app.ts';
import type { FeedDoor } from './feed-door.ts';
import type { GuardServices } from './guard.ts';
import { shedFault } from './guard.ts';
import { parseJson } from './json-body.ts';
import { faultOf, internalFault, problemReply } from './problem-reply.ts';
import { schemaCompiler } from './validate.ts';
import { Visit } from './visit.ts';

/*
 * The short way of `POST /v1/feed/lease`, which comes four times a second from each verifier: a thousand of them are
 * four thousand requests, nearly all of which do nothing but join a read of the heads. As the lane of verification, it
 * is the framework's steps with the framework's functions; a request that is unusual goes through the framework.
 *
 * The order is the protocol (SPEC.md, rule 11): the asker is registered, durably, before the heads are read for it.
 */

export interface LeaseServices extends GuardServices {
  readonly feed: FeedDoor;
  readonly log: Log;
}

const { path, body: schema, scope, bodyLimitBytes } = operations.askLease;
const validate = schemaCompiler()({ schema, method: 'POST', url: path, httpPart: 'body' });
const place = ServerMetrics.placeOf('askLease');

export class LeaseLane implements ShortWay {
  readonly #services: LeaseServices;
  readonly #requestIdOf: RequestIdOf;

  constructor(services: LeaseServices, requestIdOf: RequestIdOf) {
    this.#services = services;
    this.#requestIdOf = requestIdOf;
  }

  takes({ url, method, headers }: IncomingMessage): boolean {
    if (url !== path || method !== 'POST' || headers['content-type'] !== 'application/json') return false;
    const bytes = headers['content-length'];
    return (
      bytes !== undefined &&
      Number(bytes) <= bodyLimitBytes &&
      headers['transfer-encoding'] === undefined &&
      headers['content-encoding'] === undefined
    );
  }

  answer(request: IncomingMessage, response: ServerResponse): void {
    const requestId = this.#requestIdOf(request);
    Visit.begin(response, this.#services, place);
    this.#answer(request, response, requestId).catch((error: unknown) =>
      this.#fail(response, requestId, error),
    );
  }

  async #answer(request: IncomingMessage, response: ServerResponse, requestId: string): Promise<void> {
    const { authenticator, admission, feed } = this.#services;
    if (admission.isDraining) throw shedFault('draining');
    const plea: Plea = { authorization: request.headers.authorization, requestId, scope };
    const known = await authenticate(authenticator, plea);
    const leave = feed.enter('lease', known.keyId);
    try {
      const body = parseJson(await bytesOf(request));
      const verdict = validate(body);
      if (typeof verdict === 'object' && 'error' in verdict) throw verdict.error;
      const caller = authenticateAgain(authenticator, plea);
      const text = await answerLease(feed, caller, body as LeaseAskBody);
      response.writeHead(200, {
        'content-type': 'application/json; charset=utf-8',
        'content-length': Buffer.byteLength(text),
        'x-request-id': requestId,
        'cache-control': 'no-store',
        'x-content-type-options': 'nosniff',
      });
      response.end(text);
    } finally {
      leave();
    }
  }

  #fail(response: ServerResponse, requestId: string, error: unknown): void {
    if (response.destroyed) return;
    assert(!response.headersSent, 'a request is answered once');
    const fault = faultOf(error);
    if (fault === undefined) {
      this.#services.metrics.internalError();
      this.#services.log.error({ requestId, route: path, err: error }, 'a request failed');
    }
    const { status, headers, text } = problemReply(fault ?? internalFault(), requestId);
    response.writeHead(status, { ...headers, 'content-length': Buffer.byteLength(text) });
    response.end(text);
  }
}

/** Registers the asker, then asks; the answer as JSON. */
export async function answerLease(feed: FeedDoor, caller: Caller, body: LeaseAskBody): Promise<string> {
  const { registry, relay, takeUses } = feed.options;
  const { verifier, ask, keyspaces, downstream } = decodeLeaseRequest(body);
  // Reckoned at every ask: it may have changed, and nothing else would tell the asker.
  const filter = await feed.filterFor(caller, keyspaces, !ask.fresh);
  const owner = { workspaceId: caller.workspaceId, credential: caller.keyId };
  const { applied, leaseAgeMs } = ask;
  const report = { ...verifier, applied, leaseAgeMs, reach: reachOf(filter) };
  const entry = await registry.admit(owner, report, downstream);
  const answer = await relay.sourceFor(filter).lease(ask, never);
  registry.roll.answered(entry, answer);
  assert(answer.wall !== undefined, 'an authority says what its clock shows');
  const isTaken = ask.uses !== undefined && takeUses(filter, ask.uses);
  return encodeLeaseAnswer(isTaken ? { ...answer, usesTaken: true } : answer, answer.wall);
}

/** A read of the heads is shared: no one asker can end it. */
const never = new AbortController().signal;

async function bytesOf(request: IncomingMessage): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk as Buffer);
  return chunks.length === 1 && chunks[0] !== undefined ? chunks[0] : Buffer.concat(chunks);
}
