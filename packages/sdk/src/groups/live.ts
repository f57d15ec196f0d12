import type { LiveFrame } from '@keyswarm/contract';
import { isFaultCode } from '@keyswarm/core';
import { buildRequest } from '../call/build-request.ts';
import type { CallContext, CallOptions } from '../call/call-operation.ts';
import { badShape, isRecord, readReply } from '../call/read-reply.ts';
import { initOf } from '../call/send-attempt.ts';
import { EventReader, type SentEvent } from '../call/server-sent-events.ts';
import { KeyswarmError } from '../errors/keyswarm-error.ts';

/** Frames come once a second: after so long without a byte the connection is taken for dead. */
export const silenceMsMax = 5_000;

/** `client.live`: what flows, frame by frame, until the caller stops or an error ends it. */
export type Live = (options?: Pick<CallOptions, 'signal'>) => AsyncIterableIterator<LiveFrame>;

/**
 * Asks once, and never again by itself: who watches wants to be told that the picture stands still. What it throws is
 * a `KeyswarmError`, retryable where a new try may help, or the reason of `options.signal`.
 */
export function liveOf(context: CallContext): Live {
  const { runtime, managementKey } = context;
  return async function* live({ signal } = {}) {
    const request = buildRequest(
      { ...context, idempotencyKey: undefined, newIdempotencyKey: runtime.newIdempotencyKey },
      'streamLive',
      {},
    );
    const attempt = new AbortController();
    const silence = silenceTimer(context, () => attempt.abort());
    const pass = (): void => attempt.abort(signal?.reason);
    signal?.throwIfAborted();
    signal?.addEventListener('abort', pass, { once: true });
    try {
      const response = await context.fetch(request.url, await initOf(context, request, attempt.signal));
      if (!response.ok || response.body === null) {
        await readReply(response, {
          operationId: 'streamLive',
          secrets: [managementKey],
          wallMs: runtime.wallMs(),
        });
        throw badShape('streamLive', 'The reply is not a stream.');
      }
      yield* framesOf(response.body, () => silence.begin());
    } catch (error) {
      if (error instanceof KeyswarmError) throw error;
      if (signal?.aborted === true) throw signal.reason;
      throw lost(
        silence.isOver ? `Nothing came for ${silenceMsMax / 1000} s.` : 'The connection was cut off.',
      );
    } finally {
      silence.end();
      signal?.removeEventListener('abort', pass);
      attempt.abort();
    }
  };
}

async function* framesOf(
  body: ReadableStream<Uint8Array>,
  onBytes: () => void,
): AsyncGenerator<LiveFrame, undefined> {
  const reader = body.getReader();
  const decoder = new TextDecoder();
  const events = new EventReader();
  for (let chunk = await reader.read(); !chunk.done; chunk = await reader.read()) {
    onBytes();
    for (const event of events.read(decoder.decode(chunk.value, { stream: true }))) {
      if (event.event === 'frame') yield frameIn(event);
      else if (event.event === 'end') throw endIn(event);
    }
  }
  throw lost('The server has ended the stream.');
}

function frameIn({ data }: SentEvent): LiveFrame {
  const value = parsed(data);
  if (isRecord(value) && isRecord(value.verdicts) && isRecord(value.lanes)) {
    return value as unknown as LiveFrame;
  }
  throw badShape('streamLive', 'An event is not a frame.');
}

/** Why the server ends it: the key is not valid any more, or it goes down. */
function endIn({ data }: SentEvent): KeyswarmError {
  const problem = parsed(data);
  if (!isRecord(problem) || !isFaultCode(problem.code))
    return badShape('streamLive', 'An end without a reason.');
  return new KeyswarmError(problem.code, {
    operationId: 'streamLive',
    detail: typeof problem.detail === 'string' ? problem.detail : problem.code,
    status: 200,
  });
}

function lost(detail: string): KeyswarmError {
  return new KeyswarmError('unreachable', { operationId: 'streamLive', detail });
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function silenceTimer({ runtime }: CallContext, onSilence: () => void) {
  let cancel = (): void => {};
  const state = {
    isOver: false,
    begin(): void {
      cancel();
      cancel = runtime.setTimer(silenceMsMax, () => {
        state.isOver = true;
        onSilence();
      });
    },
    end: (): void => cancel(),
  };
  state.begin();
  return state;
}
