import type { OAuthOperationId, OperationId } from '@keyswarm/contract/routes';
import { isFaultCode, type Secret } from '@keyswarm/core';
import { KeyswarmError } from '../errors/keyswarm-error.ts';

/*
 * From an HTTP reply to a value or an error. Nothing in it is trusted to be of this API before it has been looked
 * at: between the client and the server stand proxies with opinions.
 */

/** The largest honest reply is a page of 200 keys at 64 scopes and 32 entries each: 7 MB. */
export const replyBytesMax = 32 * 1024 * 1024;

/** Statuses of a proxy or an overloaded server that may pass by themselves. */
const passing = new Set([429, 502, 503, 504]);

export interface ReplyContext {
  readonly operationId: OperationId | OAuthOperationId;
  /** What was sent and may stand in no error. */
  readonly secrets: readonly Secret[];
  readonly wallMs: number;
  /** Statuses whose body is the reply, beside 2xx. */
  readonly alsoStatus?: number | undefined;
}

export async function readReply(response: Response, context: ReplyContext): Promise<unknown> {
  const text = await readText(response, context);
  if (response.ok || response.status === context.alsoStatus) {
    const value = parseJson(text);
    if (isRecord(value)) return value;
    throw badReply(response, context, 'The reply is not a JSON object.');
  }
  throw faultOf(response, text, context);
}

/** A reply whose shape is not what the operation promises. */
export function badShape(operationId: OperationId | OAuthOperationId, detail: string): KeyswarmError {
  return new KeyswarmError('bad_reply', { operationId, detail, status: 200 });
}

export function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** `Retry-After`: seconds or a date (RFC 9110, section 10.2.3). */
export function retryAfterMsOf(header: string | null, wallMs: number): number | undefined {
  if (header === null) return undefined;
  if (/^\d{1,9}$/.test(header)) return Number(header) * 1000;
  const dateMs = Date.parse(header);
  return Number.isFinite(dateMs) ? Math.max(0, dateMs - wallMs) : undefined;
}

async function readText(response: Response, context: ReplyContext): Promise<string> {
  if (response.body === null) return '';
  // A reader, because not every platform that has `fetch` lets a stream be walked with `for await`.
  const reader = response.body.getReader();
  const decoder = new TextDecoder();
  let text = '';
  let bytes = 0;
  for (let chunk = await reader.read(); !chunk.done; chunk = await reader.read()) {
    bytes += chunk.value.byteLength;
    if (bytes > replyBytesMax) {
      await reader.cancel();
      throw badReply(response, context, `The reply is longer than ${replyBytesMax} bytes.`);
    }
    text += decoder.decode(chunk.value, { stream: true });
  }
  return text + decoder.decode();
}

function faultOf(response: Response, text: string, context: ReplyContext): KeyswarmError {
  // A server that repeats the request's header in its complaint must not put the key into our logs.
  const problem = parseJson(maskSecrets(text, context.secrets));
  if (isRecord(problem) && typeof problem.error === 'string') return refusalOf(response, problem, context);
  if (!isRecord(problem) || !isFaultCode(problem.code)) {
    return badReply(
      response,
      context,
      `The server answered ${response.status} without a problem that is known here.`,
    );
  }
  const {
    type: _type,
    title,
    status: _status,
    code,
    detail,
    field,
    expected,
    request_id,
    ...extra
  } = problem;
  return new KeyswarmError(problem.code, {
    operationId: context.operationId,
    detail: textOf(detail) ?? textOf(title) ?? problem.code,
    status: response.status,
    field: textOf(field),
    expected: textOf(expected),
    requestId: textOf(request_id),
    retryAfterMs: retryAfterMsOf(response.headers.get('retry-after'), context.wallMs),
    extra,
  });
}

/** As OAuth has errors (RFC 6749 section 5.2): a word, and a sentence for people. */
function refusalOf(
  response: Response,
  { error, error_description }: Readonly<Record<string, unknown>>,
  context: ReplyContext,
): KeyswarmError {
  const word = textOf(error) ?? '';
  return new KeyswarmError('token_refused', {
    operationId: context.operationId,
    detail: textOf(error_description) ?? word,
    status: response.status,
    requestId: response.headers.get('x-request-id') ?? undefined,
    retryable: word === 'temporarily_unavailable',
    retryAfterMs: retryAfterMsOf(response.headers.get('retry-after'), context.wallMs),
    extra: { error: word },
  });
}

export function maskSecrets(text: string, secrets: readonly Secret[]): string {
  return secrets.reduce((masked, secret) => masked.replaceAll(secret.reveal(), '[secret]'), text);
}

function badReply(response: Response, context: ReplyContext, detail: string): KeyswarmError {
  return new KeyswarmError('bad_reply', {
    operationId: context.operationId,
    detail,
    status: response.status,
    retryable: passing.has(response.status),
    retryAfterMs: retryAfterMsOf(response.headers.get('retry-after'), context.wallMs),
  });
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function textOf(value: unknown): string | undefined {
  return typeof value === 'string' ? value : undefined;
}
