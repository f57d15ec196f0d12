import type { CloudEvent, ReplyOf } from '@keyswarm/contract';
import type { EventType } from '@keyswarm/core';
import { type CallContext, type CallOptions, callOperation } from '../call/call-operation.ts';
import { badShape } from '../call/read-reply.ts';
import { KeyswarmError } from '../errors/keyswarm-error.ts';
import { openEventStream, type StreamedEvent } from './stream-events.ts';

export interface EventsQuery {
  /** `next_cursor` of an earlier page; absent: from the oldest that is kept. */
  readonly after?: string;
  /** Without `after`: begin with what happens next. */
  readonly from?: 'end' | 'recent';
  /** Only these; absent: all. */
  readonly types?: readonly EventType[];
  /** Events a page, 1 to 200. */
  readonly limit?: number;
}

export interface TailQuery extends EventsQuery {
  /** How long to wait when nothing new came. */
  readonly pollMs?: number;
}

export type StreamQuery = Pick<EventsQuery, 'after' | 'from' | 'types'>;

export interface StreamOptions {
  readonly signal?: AbortSignal | undefined;
  /** Hears of every place, also of those between events: what was kept is where a restart goes on from. */
  readonly onCursor?: (cursor: string) => void;
}

export type EventPage = ReplyOf<'listEvents'>;

const pollMsDefault = 1_000;
/** How long to wait after a call that failed for good but may succeed later. */
const recoverMs = 5_000;

/** `client.events`. Delivery is at least once: `source` and `id` tell an event that came before. */
export interface Events {
  list(query?: EventsQuery, options?: CallOptions): Promise<EventPage>;
  /** Every event from `after` on and those to come, until `options.signal` is aborted, which ends it quietly. */
  tail(query?: TailQuery, options?: CallOptions): AsyncIterableIterator<CloudEvent>;
  /** As `tail`, but page by page with the cursor to keep: what was kept is where a restart goes on from. */
  /**
   * As `tail`, over one connection on which events come as they are committed; opened again where it left off. An
   * outage does not end it, a refusal does.
   */
  stream(query?: StreamQuery, options?: StreamOptions): AsyncIterableIterator<StreamedEvent>;
  tailPages(query?: TailQuery, options?: CallOptions): AsyncIterableIterator<EventPage>;
}

export function eventsOf(context: CallContext): Events {
  const list: Events['list'] = async ({ after, from, types, limit } = {}, options) => {
    const query = {
      ...(after === undefined ? {} : { after }),
      ...(from === undefined || after !== undefined ? {} : { from }),
      ...(types === undefined ? {} : { types: types.join(',') }),
      ...(limit === undefined ? {} : { limit: String(limit) }),
    };
    const page = await callOperation(context, 'listEvents', { query }, options);
    if (Array.isArray(page.items) && typeof page.next_cursor === 'string') return page;
    throw badShape('listEvents', 'The reply is not a page of events.');
  };

  async function* tailPages(
    query: TailQuery = {},
    options: CallOptions = {},
  ): AsyncGenerator<EventPage, undefined> {
    const { pollMs = pollMsDefault, ...question } = query;
    const { signal } = options;
    let { after } = question;
    while (signal?.aborted !== true) {
      const page = await list(after === undefined ? question : { ...question, after }, options).catch(
        // An outage must not end a tail that is meant to run for weeks; a refusal must.
        (error: unknown) => {
          if (error instanceof KeyswarmError && error.retryable) return undefined;
          if (signal?.aborted === true) return undefined;
          throw error;
        },
      );
      if (page !== undefined && page.items.length > 0) yield page;
      // A cursor that moved while nothing matched means that there may be more right behind it.
      const moved = page !== undefined && page.next_cursor !== after;
      if (page !== undefined) after = page.next_cursor;
      if (!moved) await pause(page === undefined ? recoverMs : pollMs, signal);
    }
  }

  async function pause(delayMs: number, signal: AbortSignal | undefined): Promise<void> {
    try {
      await context.runtime.sleep(delayMs, signal);
    } catch (error) {
      if (signal?.aborted !== true) throw error;
    }
  }

  async function* stream(
    { after, from, types }: StreamQuery = {},
    { signal, onCursor }: StreamOptions = {},
  ): AsyncGenerator<StreamedEvent, undefined> {
    let cursor = after;
    const ended = new AbortController();
    const end = (): void => ended.abort(signal?.reason);
    const isOver = (): boolean => signal?.aborted === true;
    signal?.addEventListener('abort', end, { once: true });
    const note = (place: string): void => {
      cursor = place;
      onCursor?.(place);
    };
    try {
      while (!isOver()) {
        const open = { after: cursor, from, types: types?.join(','), signal: ended.signal, onCursor: note };
        try {
          yield* openEventStream(context, open);
        } catch (error) {
          if (isOver()) return;
          if (error instanceof KeyswarmError && !error.retryable) throw error;
        }
        await pause(recoverMs * context.runtime.random(), signal);
      }
    } finally {
      signal?.removeEventListener('abort', end);
      ended.abort();
    }
  }

  return {
    list,
    stream,
    tailPages,
    async *tail(query, options) {
      for await (const page of tailPages(query, options)) yield* page.items;
    },
  };
}
