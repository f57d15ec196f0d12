import type { Secret } from '@keyswarm/core';
import { KeyswarmError } from '../errors/keyswarm-error.ts';
import type { Runtime } from '../runtime/runtime.ts';
import type { RequestSigner } from '../signing/request-signer.ts';
import { signRequest } from '../signing/sign-request.ts';
import type { PreparedRequest } from './build-request.ts';
import { maskSecrets, readReply } from './read-reply.ts';

/** The part of `fetch` that is used, so that a test or a proxy can stand in for it. */
export type Fetch = (url: string, init: RequestInit) => Promise<Response>;

export interface AttemptContext {
  readonly fetch: Fetch;
  readonly runtime: Runtime;
  readonly managementKey: Secret;
  /** Signs each request in place of the management key, which then is not sent; absent: it is sent. */
  readonly signer?: (() => Promise<RequestSigner>) | undefined;
}

export interface AttemptOptions {
  readonly timeoutMs: number;
  readonly signal: AbortSignal | undefined;
  readonly alsoStatus?: number | undefined;
}

/**
 * Sends it once. Throws a `KeyswarmError`, or the reason of the caller's signal. The timeout covers the reply's
 * body too: a server that stops in the middle of one is as silent as one that never began.
 */
export async function sendAttempt(
  context: AttemptContext,
  request: PreparedRequest,
  options: AttemptOptions,
): Promise<unknown> {
  const { runtime, managementKey } = context;
  const { operationId } = request;
  const { signal } = options;
  signal?.throwIfAborted();
  const attempt = new AbortController();
  let timedOut = false;
  const cancelTimer = runtime.setTimer(options.timeoutMs, () => {
    timedOut = true;
    attempt.abort();
  });
  const pass = (): void => attempt.abort(signal?.reason);
  signal?.addEventListener('abort', pass, { once: true });
  try {
    const response = await context.fetch(request.url, await initOf(context, request, attempt.signal));
    const alsoStatus = options.alsoStatus;
    const secrets = secretsOf(managementKey, request);
    return await readReply(response, { operationId, secrets, wallMs: runtime.wallMs(), alsoStatus });
  } catch (error) {
    if (error instanceof KeyswarmError) throw error;
    if (signal?.aborted === true) throw signal.reason;
    if (timedOut) {
      const detail = `No answer within ${Math.ceil(options.timeoutMs)} ms.`;
      throw new KeyswarmError('timeout', { operationId, detail });
    }
    const cause = withoutSecrets(error, secretsOf(managementKey, request));
    const detail = `The server can not be reached: ${cause.message}`;
    throw new KeyswarmError('unreachable', { operationId, detail, cause });
  } finally {
    cancelTimer();
    signal?.removeEventListener('abort', pass);
  }
}

function secretsOf(managementKey: Secret, { secret }: PreparedRequest): readonly Secret[] {
  return secret === undefined ? [managementKey] : [managementKey, secret];
}

/** The request as `fetch` takes it. */
export async function initOf(
  context: AttemptContext,
  request: PreparedRequest,
  signal: AbortSignal,
): Promise<RequestInit> {
  const headers: Record<string, string> = { accept: 'application/json, application/problem+json' };
  if (request.sendsCredential) {
    Object.assign(headers, await credentialOf(context, request));
  }
  if (request.body !== undefined) headers['content-type'] = request.contentType;
  if (request.idempotencyKey !== undefined) headers['idempotency-key'] = request.idempotencyKey;
  return {
    method: request.route.method,
    headers,
    signal,
    // The API never redirects; following one would take the management key to wherever it points.
    redirect: 'manual',
    ...(request.body === undefined ? {} : { body: request.body }),
  };
}

/** Made for each attempt: a signature counts once. */
export async function credentialOf(
  { managementKey, signer, runtime }: AttemptContext,
  { route, url, body }: PreparedRequest,
): Promise<Record<string, string>> {
  if (signer === undefined) return { authorization: `Bearer ${managementKey.reveal()}` };
  const content = body === undefined ? {} : { body: new TextEncoder().encode(body) };
  return { ...(await signRequest({ method: route.method, url, ...content }, await signer(), { runtime })) };
}

/**
 * What a network layer says of its failure, as an error of our own: theirs may hold the request, and the request
 * holds the key. The innermost message is the one that says something (`ECONNREFUSED`, not `fetch failed`).
 */
function withoutSecrets(error: unknown, secrets: readonly Secret[]): Error {
  let inner = error;
  for (let depth = 0; depth < 5 && inner instanceof Error && inner.cause instanceof Error; depth += 1) {
    inner = inner.cause;
  }
  const text = inner instanceof Error ? inner.message || inner.name : 'unknown failure';
  const masked = new Error(maskSecrets(text, secrets));
  if (inner instanceof Error && 'code' in inner && typeof inner.code === 'string') {
    Object.assign(masked, { code: inner.code });
    if (masked.message === '' || inner.message === '') masked.message = inner.code;
  }
  return masked;
}
