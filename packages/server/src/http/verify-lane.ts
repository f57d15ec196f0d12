import type { IncomingMessage, ServerResponse } from 'node:http';
import { type BodyOf, operations, type VerdictView } from '@keyswarm/contract';
import { assert } from '@keyswarm/core';
import type { Caller } from '../access/caller.ts';
import { bodyAtOnceMs, verifyLaneBodyBytesMax } from '../limits.ts';
import type { Log } from '../logging/log.ts';
import { ServerMetrics } from '../metrics/server-metrics.ts';
import { authenticate, authenticateAgain, type Plea } from './authenticate.ts';
import { type GuardServices, shareFault, shedFault } from './guard.ts';
import type { Handler } from './handler.ts';
import { parseJson } from './json-body.ts';
import { faultOf, internalFault, problemReply } from './problem-reply.ts';
import { schemaCompiler } from './validate.ts';
import { Visit } from './visit.ts';

/*
 * The short way of `POST /v1/keys/verify`. Nearly every request to a server of this kind is this one, and router,
 * hooks, content types and reply object of the framework cost a sixth of it (CPU a request on a busy two-core
 * machine, best of 14 rounds in one run: 50 µs for `node:http` echoing JSON, 92 through the framework, 77 here; the
 * two digests and the judgement are 8 of that, a longer request and reply most of the rest).
 *
 * It is the same steps, with the same functions: place, management key, share, body, schema, handler, problem. A
 * request takes this way only if nothing about its head is unusual; every other one goes through the framework,
 * whose route for the same operation stays. The suite sends each verification both ways and compares the answers.
 * Anything that is added to the guard belongs here too.
 */

export interface VerifyLaneServices extends GuardServices {
  readonly handler: Handler<'verifyKey'>;
  readonly requestIdOf: (request: IncomingMessage) => string;
  readonly log: Log;
}

interface Admitted {
  readonly visit: Visit;
  readonly plea: Plea;
  readonly caller: Caller;
}

const { path, body: schema, scope } = operations.verifyKey;
const validate = schemaCompiler()({ schema, method: 'POST', url: path, httpPart: 'body' });
const place = ServerMetrics.placeOf('verifyKey');
const nothing = Object.freeze({});

export class VerifyLane {
  readonly #services: VerifyLaneServices;

  constructor(services: VerifyLaneServices) {
    this.#services = services;
  }

  /** Is there nothing about the head of this request that only the framework knows what to do with? */
  takes({ url, method, headers }: IncomingMessage): boolean {
    if (url !== path || method !== 'POST' || headers['content-type'] !== 'application/json') return false;
    const bytes = headers['content-length'];
    return (
      bytes !== undefined &&
      Number(bytes) <= verifyLaneBodyBytesMax &&
      headers['transfer-encoding'] === undefined &&
      headers['content-encoding'] === undefined &&
      headers['signature-input'] === undefined &&
      headers.signature === undefined &&
      !this.#services.admission.isDraining
    );
  }

  answer(request: IncomingMessage, response: ServerResponse): void {
    const requestId = this.#services.requestIdOf(request);
    const visit = Visit.begin(response, this.#services, place);
    try {
      const seat = this.#services.admission.enter('verifications', Number(request.headers['content-length']));
      if (typeof seat === 'string') throw shedFault(seat);
      visit.place = seat;
      const { authenticator } = this.#services;
      const plea = { authorization: request.headers.authorization, requestId, scope };
      const caller = authenticate(authenticator, plea);
      if (caller instanceof Promise) {
        caller
          .then((found) => this.#read(request, response, { visit, plea, caller: found }))
          .catch((error: unknown) => this.#fail(response, requestId, error));
      } else {
        this.#read(request, response, { visit, plea, caller });
      }
    } catch (error) {
      this.#fail(response, requestId, error);
    }
  }

  #read(request: IncomingMessage, response: ServerResponse, { visit, plea, caller }: Admitted): void {
    // The visit may have ended while news was waited for; its place is given back already.
    if (visit.place === undefined) return;
    if (!this.#services.admission.claimShare(visit.place, caller.keyId)) throw shareFault();
    let bytes: Buffer | undefined;
    request.on('data', (chunk: Buffer) => {
      // A body this small comes in one piece, unless somebody takes pains.
      bytes = bytes === undefined ? chunk : Buffer.concat([bytes, chunk]);
    });
    const { clock } = this.#services;
    const admittedMs = clock.monotonicMs();
    request.on('end', () => {
      const isLate = clock.monotonicMs() - admittedMs > bodyAtOnceMs;
      this.#verify(response, { plea, caller: isLate ? undefined : caller }, bytes);
    });
  }

  /** Without a caller the body took its time, and the management key is asked for again. */
  #verify(
    response: ServerResponse,
    { plea, caller: known }: { readonly plea: Plea; readonly caller: Caller | undefined },
    bytes: Buffer | undefined,
  ): void {
    const { requestId } = plea;
    try {
      const caller = known ?? authenticateAgain(this.#services.authenticator, plea);
      const body = bytes === undefined ? null : parseJson(bytes);
      const verdict = validate(body);
      if (typeof verdict === 'object' && 'error' in verdict) throw verdict.error;
      const { handler } = this.#services;
      const call = { params: nothing, query: nothing, body: body as BodyOf<'verifyKey'>, caller };
      const view = handler({ ...call, idempotency: undefined });
      if (view instanceof Promise) {
        view
          .then((waited) => reply(response, requestId, waited))
          .catch((error: unknown) => this.#fail(response, requestId, error));
      } else {
        reply(response, requestId, view);
      }
    } catch (error) {
      this.#fail(response, requestId, error);
    }
  }

  #fail(response: ServerResponse, requestId: string, error: unknown): void {
    assert(!response.headersSent, 'a request is answered once');
    const known = faultOf(error);
    if (known === undefined) {
      this.#services.metrics.internalError();
      this.#services.log.error({ requestId, route: path, err: error }, 'a request failed');
    }
    const { status, headers, text } = problemReply(known ?? internalFault(), requestId);
    response.writeHead(status, { ...headers, 'content-length': Buffer.byteLength(text) });
    response.end(text);
  }
}

/** A verdict's view is put together field by field, which is the allow-list here. */
function reply(response: ServerResponse, requestId: string, view: VerdictView): void {
  const text = JSON.stringify(view);
  const bytes = Buffer.byteLength(text);
  // A flat list, because Node copies an object of headers into one first.
  response.writeHead(200, [
    'content-type',
    'application/json; charset=utf-8',
    'content-length',
    String(bytes),
    'x-request-id',
    requestId,
    'cache-control',
    'no-store',
    'x-content-type-options',
    'nosniff',
  ]);
  // As many bytes as characters: plain ASCII, which Latin-1 writes without looking at each character again.
  response.end(text, bytes === text.length ? 'latin1' : 'utf8');
}
