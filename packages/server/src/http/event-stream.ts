import type { ServerResponse } from 'node:http';
import {
  decodeEventsCursor,
  encodeEventsCursor,
  eventTypesOf,
  eventView,
  pageLimitMax,
  type QueryOf,
} from '@keyswarm/contract';
import { assert, Fault, type FeedRow } from '@keyswarm/core';
import type { FastifyReply, FastifyRequest } from 'fastify';
import type { Caller } from '../access/caller.ts';
import type { UseCasePorts } from '../access/use-case-ports.ts';
import { type EventsPlace, listEvents } from '../events/list-events.ts';
import {
  eventHeartbeatMs,
  eventLookMs,
  eventOutageMs,
  eventReaderMsMax,
  streamRecheckMs,
} from '../limits.ts';
import type { Timers } from '../runtime/timers.ts';
import { authenticateAgain } from './authenticate.ts';
import type { FeedDoor } from './feed-door.ts';
import type { GuardServices } from './guard.ts';
import { faultOf, internalFault, problemReply } from './problem-reply.ts';
import { authenticateSignerAgain } from './signed-management.ts';
import { Visit } from './visit.ts';

/*
 * `GET /v1/events` for whoever asks for `text/event-stream` (WHATWG HTML, server-sent events): the same events, as they
 * are committed. Each carries the cursor behind it as its `id`, so that a reader which comes back with `Last-Event-ID`
 * goes on right there; a heartbeat does too, so that a reader of few events keeps up with what the feed still has.
 *
 * A stream holds one page. A reader that does not take it within its time is cut off, and comes back by its cursor. The
 * store is asked only when the table of this process, which is in memory, is ahead of the stream: a thousand streams
 * at rest cost it nothing.
 */

export interface EventStreamServices extends GuardServices {
  readonly ports: UseCasePorts;
  readonly feed: FeedDoor;
  readonly timers: Timers;
}

export function wantsEventStream(request: FastifyRequest): boolean {
  return (request.headers.accept ?? '').includes('text/event-stream');
}

export async function serveEventStream(
  services: EventStreamServices,
  request: FastifyRequest,
  reply: FastifyReply,
): Promise<void> {
  const { caller } = request;
  assert(caller !== null, 'a guarded request has a caller');
  reply.hijack();
  const response = reply.raw;
  let leave: (() => void) | undefined;
  try {
    leave = services.feed.enter('events', caller.keyId);
    // From here on it is held for long and has a bound of its own.
    Visit.giveUpPlace(response);
    const stream = new EventStream(services, { request, response, caller });
    await stream.run();
  } catch (error) {
    endWith(response, error, request.id);
  } finally {
    leave?.();
  }
}

interface Page {
  readonly rows: readonly FeedRow[];
  readonly next: EventsPlace | undefined;
}

class EventStream {
  readonly #services: EventStreamServices;
  readonly #request: FastifyRequest;
  readonly #response: ServerResponse;
  readonly #types: ReturnType<typeof eventTypesOf>;
  #caller: Caller;
  #place: EventsPlace | undefined;

  constructor(
    services: EventStreamServices,
    asked: { readonly request: FastifyRequest; readonly response: ServerResponse; readonly caller: Caller },
  ) {
    this.#services = services;
    this.#request = asked.request;
    this.#response = asked.response;
    this.#caller = asked.caller;
    this.#types = eventTypesOf((asked.request.query as QueryOf<'listEvents'>).types);
  }

  async run(): Promise<void> {
    const { from } = this.#request.query as QueryOf<'listEvents'>;
    const after = this.#cursor();
    this.#place = after;
    // The first page comes before the head, so that what is wrong is still a problem document.
    let page = await this.#read(after, after === undefined ? from : undefined);
    this.#response.writeHead(200, { 'content-type': 'text/event-stream', 'x-accel-buffering': 'no' });
    await this.#write(`retry: 2000\n\n`);
    const { clock, timers } = this.#services;
    let heardMs = clock.monotonicMs();
    for (let checkedMs = heardMs; !this.#isOver(); ) {
      const moved = await this.#send(page);
      if (!moved) await timers.sleep(eventLookMs);
      const nowMs = clock.monotonicMs();
      if (moved) heardMs = nowMs;
      else if (nowMs >= heardMs + eventHeartbeatMs) {
        await this.#write(this.#mark());
        heardMs = nowMs;
      }
      if (nowMs >= checkedMs + streamRecheckMs) {
        this.#recheck();
        checkedMs = nowMs;
      }
      page = this.#isBehind() ? await this.#readAgain() : { rows: [], next: this.#place };
    }
    this.#response.end();
  }

  /** The header of a reader that comes back counts more than the URL, which it can't change. */
  #cursor(): EventsPlace | undefined {
    const { after } = this.#request.query as QueryOf<'listEvents'>;
    const last = this.#request.headers['last-event-id'];
    if (typeof last === 'string' && last !== '') return decodeEventsCursor(last, 'Last-Event-ID');
    return after === undefined ? undefined : decodeEventsCursor(after);
  }

  #read(after: EventsPlace | undefined, from: 'end' | 'recent' | undefined): Promise<Page> {
    const { ports } = this.#services;
    return listEvents(ports, this.#caller, { after, from, types: this.#types, limit: pageLimitMax });
  }

  /** An outage must not end a stream that is meant to stay; a cursor that no longer holds must. */
  async #readAgain(): Promise<Page> {
    try {
      return await this.#read(this.#place, undefined);
    } catch (error) {
      const isOutage =
        error instanceof Fault && (error.code === 'store_unavailable' || error.code === 'overloaded');
      if (!isOutage) throw error;
      await this.#services.timers.sleep(eventOutageMs);
      return { rows: [], next: this.#place };
    }
  }

  /** Did the place move? */
  async #send({ rows, next }: Page): Promise<boolean> {
    if (next === undefined) return false;
    const seqs = [...(this.#place?.seqs ?? next.seqs.map(() => 0))];
    let text = '';
    for (const row of rows) {
      seqs[row.shard] = row.seq;
      text += `id: ${encodeEventsCursor({ epoch: next.epoch, seqs })}\ndata: ${JSON.stringify(eventView(row))}\n\n`;
    }
    const moved =
      this.#place === undefined || next.seqs.some((seq, shard) => seq !== this.#place?.seqs[shard]);
    this.#place = next;
    // What was looked through and not sent is behind the reader too.
    if (moved) await this.#write(`${text}${this.#mark()}`);
    return moved;
  }

  /** An id without data: it is taken note of and nothing is dispatched. */
  #mark(): string {
    return this.#place === undefined ? ':\n\n' : `id: ${encodeEventsCursor(this.#place)}\n\n`;
  }

  /** Is this process's own table further than the stream? */
  #isBehind(): boolean {
    const place = this.#place;
    const { heads } = this.#services.feed.options.standing();
    if (place === undefined || heads.epoch !== place.epoch) return true;
    return heads.seqs.some((seq, shard) => seq > (place.seqs[shard] ?? 0));
  }

  #recheck(): void {
    const { authorization } = this.#request.headers;
    const plea = { authorization, requestId: this.#request.id, scope: 'events:read' } as const;
    try {
      const { signedHead } = this.#request;
      const { authenticator } = this.#services;
      this.#caller =
        signedHead === null
          ? authenticateAgain(authenticator, plea)
          : authenticateSignerAgain(authenticator, plea, signedHead);
    } catch (error) {
      // While freshness can't be proved, nothing new is known of the key, and nothing new is sent for long either.
      if (!(error instanceof Fault && error.code === 'stale')) throw error;
    }
  }

  #isOver(): boolean {
    const { feed, admission } = this.#services;
    return this.#response.destroyed || feed.isClosed || admission.isDraining;
  }

  async #write(text: string): Promise<void> {
    const response = this.#response;
    if (text === '' || response.destroyed || response.write(text)) return;
    await new Promise<void>((resolve) => {
      const cancel = this.#services.timers.after(eventReaderMsMax, () => response.destroy());
      const done = (): void => {
        cancel();
        response.off('drain', done);
        response.off('close', done);
        resolve();
      };
      response.on('drain', done);
      response.on('close', done);
    });
  }
}

function endWith(response: ServerResponse, error: unknown, requestId: string): void {
  if (response.headersSent || response.destroyed) {
    response.destroy();
    return;
  }
  const { status, headers, text } = problemReply(faultOf(error) ?? internalFault(), requestId);
  response.writeHead(status, { ...headers, 'content-length': Buffer.byteLength(text) });
  response.end(text);
}
