import { Fault, faultRegistry, toProblem } from '@keyswarm/core';
import type { FastifyError, FastifyReply } from 'fastify';
import { shedRetryAfterMs } from '../limits.ts';

/*
 * Everything that goes wrong leaves as one kind of document (RFC 9457), what Fastify found wrong by itself too.
 * Status, title and whether to try again come from the registry row of the code.
 */

/** What the framework's own errors mean in our words; any other of them is a bug. */
const faultsOfFramework: Readonly<Record<string, (error: FastifyError) => Fault>> = {
  FST_ERR_CTP_INVALID_MEDIA_TYPE: () =>
    new Fault('unsupported_media_type', {
      detail: 'Bodies are JSON.',
      field: 'Content-Type',
      expected: 'Content-Type: application/json',
    }),
  FST_ERR_CTP_BODY_TOO_LARGE: () =>
    new Fault('payload_too_large', { detail: 'The body is larger than this call takes.' }),
  FST_ERR_CTP_INVALID_CONTENT_LENGTH: () =>
    new Fault('invalid_json', {
      detail: 'The body is not as long as Content-Length says.',
      field: 'Content-Length',
    }),
  FST_ERR_BAD_URL: () => new Fault('not_found', { detail: 'There is nothing at this path.' }),
  FST_ERR_ASYNC_CONSTRAINT: () => new Fault('not_found', { detail: 'There is nothing at this path.' }),
};

/** The fault in an error; undefined when it is none of the caller's and none that we foresaw. */
export function faultOf(error: unknown): Fault | undefined {
  if (error instanceof Fault) return error.code === 'internal' ? undefined : error;
  if (!(error instanceof Error) || !('code' in error)) return undefined;
  if (error.code === 'ECONNRESET' || error.code === 'ECONNABORTED') {
    return new Fault('invalid_json', { detail: 'The body ended before it was whole.' });
  }
  return faultsOfFramework[String(error.code)]?.(error as FastifyError);
}

export function sendFault(reply: FastifyReply, fault: Fault, requestId: string): FastifyReply {
  const { status, retryable } = faultRegistry[fault.code];
  reply.code(status);
  reply.header('content-type', 'application/problem+json');
  reply.header('cache-control', 'no-store');
  reply.header('x-content-type-options', 'nosniff');
  reply.header('x-request-id', requestId);
  if (retryable) {
    reply.header('retry-after', Math.max(1, Math.ceil((fault.retryAfterMs ?? shedRetryAfterMs) / 1000)));
  }
  if (status === 401) reply.header('www-authenticate', 'Bearer realm="keyswarm"');
  if (fault.code === 'shutting_down') reply.header('connection', 'close');
  return reply.send(JSON.stringify(toProblem(fault, requestId)));
}

/** What a caller is told of a fault of ours: that it is one, and what to quote when asking about it. */
export function internalFault(): Fault {
  return new Fault('internal', { detail: 'Something broke here. Quote the request_id.' });
}
