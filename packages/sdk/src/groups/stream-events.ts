import type { CloudEvent } from '@keyswarm/contract';
import { buildRequest } from '../call/build-request.ts';
import type { CallContext } from '../call/call-operation.ts';
import { badShape, readReply } from '../call/read-reply.ts';
import { credentialOf } from '../call/send-attempt.ts';
import { EventReader, type SentEvent } from '../call/server-sent-events.ts';
import { KeyswarmError } from '../errors/keyswarm-error.ts';

/*
 * The events of a workspace as they are committed: one connection, told of every place that is passed.
 */

export interface StreamedEvent {
  readonly event: CloudEvent;
  /** Of the place behind it: what was kept is where a restart goes on from. */
  readonly cursor: string;
}

export interface OpenStream {
  readonly after: string | undefined;
  readonly from: 'end' | 'recent' | undefined;
  readonly types: string | undefined;
  readonly signal: AbortSignal;
  /** Hears of every place, also of those between events. */
  readonly onCursor: (cursor: string) => void;
}

/** An event with its cursor is about 2 kB; one that does not end is no event. */
const eventLengthMax = 1_048_576;

/** One connection, until it ends. Throws what the server refused, and `unreachable` where there is none. */
export async function* openEventStream(
  context: CallContext,
  open: OpenStream,
): AsyncGenerator<StreamedEvent, undefined> {
  const { after, from, types, signal } = open;
  const query = {
    ...(after === undefined ? {} : { after }),
    ...(after === undefined && from !== undefined ? { from } : {}),
    ...(types === undefined ? {} : { types }),
  };
  const { newIdempotencyKey } = context.runtime;
  const material = { baseUrl: context.baseUrl, idempotencyKey: undefined, newIdempotencyKey };
  const request = buildRequest(material, 'listEvents', { query });
  const response = await context
    .fetch(request.url, {
      headers: {
        accept: 'text/event-stream',
        ...(await credentialOf(context, request)),
      },
      redirect: 'manual',
      signal,
    })
    .catch((error: unknown) => {
      if (signal.aborted) throw signal.reason;
      // The network layer's own error may hold the request, and the request holds the key.
      throw new KeyswarmError('unreachable', {
        operationId: 'listEvents',
        detail: `The server can not be reached: ${error instanceof Error ? error.name : 'no answer'}`,
      });
    });
  const isStream = response.headers.get('content-type')?.startsWith('text/event-stream') === true;
  if (!response.ok || !isStream || response.body === null) {
    const { managementKey, runtime } = context;
    await readReply(response, {
      operationId: 'listEvents',
      secrets: [managementKey],
      wallMs: runtime.wallMs(),
    });
    throw badShape('listEvents', 'The reply is not a stream of events.');
  }
  yield* readEvents(response.body, open);
}

async function* readEvents(
  body: ReadableStream<Uint8Array>,
  { onCursor }: OpenStream,
): AsyncGenerator<StreamedEvent, undefined> {
  const decoder = new TextDecoder();
  const events = new EventReader(eventLengthMax);
  const reader = body.getReader();
  try {
    for (let chunk = await reader.read(); !chunk.done; chunk = await reader.read()) {
      for (const { id, data } of wholeEvents(events, decoder.decode(chunk.value, { stream: true }))) {
        if (id === undefined) continue;
        onCursor(id);
        if (data !== '') yield { event: JSON.parse(data) as CloudEvent, cursor: id };
      }
    }
  } finally {
    await reader.cancel().catch(() => undefined);
  }
}

function* wholeEvents(events: EventReader, text: string): Generator<SentEvent, void, undefined> {
  try {
    yield* events.read(text);
  } catch {
    throw badShape('listEvents', 'An event of the stream does not end.');
  }
}
