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
};

export function nothingThere(): Fault {
  return new Fault('not_found', { detail: 'There is nothing at this path.' });
}

/** The fault in an error; undefined when it is none of the caller's and none that we foresaw. */
export function faultOf(error: unknown): Fault | undefined {
  if (error instanceof Fault) return error.code === 'internal' ? undefined : error;
  if (!(error instanceof Error) || !('code' in error)) return undefined;
  if (error.code === 'ECONNRESET' || error.code === 'ECONNABORTED') {
    return new Fault('invalid_json', { detail: 'The body ended before it was whole.' });
  }
  return faultsOfFramework[String(error.code)]?.(error as FastifyError);
}

/** A fault as it leaves, whoever writes it. */
export interface ProblemReply {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly text: string;
}

export function problemReply(fault: Fault, requestId: string): ProblemReply {
  const { status, retryable } = faultRegistry[fault.code];
  const retryAfterMs = fault.retryAfterMs ?? shedRetryAfterMs;
  const headers = {
    'content-type': 'application/problem+json; charset=utf-8',
    'x-request-id': requestId,
    'cache-control': 'no-store',
    'x-content-type-options': 'nosniff',
    ...(retryable ? { 'retry-after': String(Math.max(1, Math.ceil(retryAfterMs / 1000))) } : {}),
    ...(status === 401 ? { 'www-authenticate': 'Bearer realm="keyswarm"' } : {}),
    ...(fault.code === 'shutting_down' ? { connection: 'close' } : {}),
  };
  return { status, headers, text: JSON.stringify(toProblem(fault, requestId)) };
}

export function sendFault(reply: FastifyReply, fault: Fault, requestId: string): FastifyReply {
  const { status, headers, text } = problemReply(fault, requestId);
  return reply.code(status).headers(headers).send(text);
}

/** What a caller is told of a fault of ours: that it is one, and what to quote when asking about it. */
export function internalFault(): Fault {
  return new Fault('internal', { detail: 'Something broke here. Quote the request_id.' });
}
