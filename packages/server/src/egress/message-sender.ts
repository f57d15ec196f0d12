import {
  type ClientRequest,
  Agent as HttpAgent,
  request as httpRequest,
  type IncomingMessage,
} from 'node:http';
import { Agent as HttpsAgent, request as httpsRequest } from 'node:https';
import { isIP } from 'node:net';
import {
  deliveryReplyBytesMax,
  deliveryReplyMsMax,
  deliverySocketIdleMs,
  deliverySocketsMax,
  deliveryTimeoutMs,
  retryAfterHonouredMsMax,
} from '../limits.ts';
import type { Timers } from '../runtime/timers.ts';
import { hostOf, type TargetPolicy } from './check-url.ts';
import { AddressRefused, guardedLookup, type Resolve } from './guarded-lookup.ts';
import { isAllowedAddress } from './target-address.ts';

/*
 * One request to somebody else's server. It is trusted with nothing: its address is checked before each connection
 * and the connection goes to the checked one; a redirect is a refusal, since it leads past that check; its head has
 * to come within a bound, and its body is not needed: what is more than a little of it, or slow, is cut off.
 */

export const failureReasons = [
  'address',
  'connect',
  'timeout',
  'redirect',
  'client_error',
  'server_error',
  'gone',
] as const;
export type FailureReason = (typeof failureReasons)[number];

export type PostOutcome =
  | { readonly kind: 'delivered' }
  | {
      readonly kind: 'failed';
      readonly reason: FailureReason;
      readonly status: number | null;
      /** As the consumer asks, within a bound. */
      readonly retryAfterMs: number | null;
    };

export interface MessageSender {
  /** Never throws: whatever goes wrong is an outcome. */
  post(url: URL, headers: Readonly<Record<string, string>>, body: string): Promise<PostOutcome>;
  close(): void;
}

export interface SenderOptions {
  readonly policy: TargetPolicy;
  readonly timers: Timers;
  readonly timeoutMs?: number;
  readonly resolve?: Resolve;
}

export function createSender(options: SenderOptions): MessageSender {
  const lookup = guardedLookup(options.policy, options.resolve);
  const pool = { keepAlive: true, maxSockets: deliverySocketsMax, timeout: deliverySocketIdleMs, lookup };
  const agents = { http: new HttpAgent(pool), https: new HttpsAgent(pool) };
  return {
    async post(url, headers, body) {
      // A host that is an address is not looked up, so it is checked here.
      const host = hostOf(url);
      if (isIP(host) !== 0 && !isAllowedAddress(host, options.policy)) return failed('address');
      const isSecure = url.protocol === 'https:';
      if (!isSecure && !options.policy.allowHttp) return failed('address');
      const start = (): ClientRequest => {
        const terms = { method: 'POST', headers: { ...headers, 'content-length': Buffer.byteLength(body) } };
        return isSecure
          ? httpsRequest(url, { ...terms, agent: agents.https })
          : httpRequest(url, { ...terms, agent: agents.http });
      };
      const first = await exchange(start(), body, options);
      // A kept connection may end just as it is used again; nobody has read the request then.
      return first === 'stale' ? stalenessOf(await exchange(start(), body, options)) : first;
    },
    close() {
      agents.http.destroy();
      agents.https.destroy();
    },
  };
}

function exchange(
  request: ClientRequest,
  body: string,
  { timers, timeoutMs = deliveryTimeoutMs }: SenderOptions,
): Promise<PostOutcome | 'stale'> {
  return new Promise((resolve) => {
    const cancel = timers.after(timeoutMs, () => {
      resolve(failed('timeout'));
      request.destroy();
    });
    request.on('response', (response) => {
      cancel();
      resolve(outcomeOf(response));
      discard(response, timers);
    });
    request.on('error', (error: Error & { readonly code?: string }) => {
      cancel();
      const isStale = request.reusedSocket && (error.code === 'ECONNRESET' || error.code === 'EPIPE');
      if (isStale) resolve('stale');
      else resolve(failed(error instanceof AddressRefused ? 'address' : 'connect'));
    });
    request.end(body);
  });
}

function stalenessOf(outcome: PostOutcome | 'stale'): PostOutcome {
  return outcome === 'stale' ? failed('connect') : outcome;
}

function outcomeOf({ statusCode = 0, headers }: IncomingMessage): PostOutcome {
  if (statusCode >= 200 && statusCode < 300) return { kind: 'delivered' };
  const retryAfterMs = retryAfterOf(headers['retry-after']);
  const reason =
    statusCode === 410
      ? 'gone'
      : statusCode < 400
        ? 'redirect'
        : statusCode < 500
          ? 'client_error'
          : 'server_error';
  return { kind: 'failed', reason, status: statusCode, retryAfterMs };
}

/** Read to its end, so that the connection can be used again, unless that takes too much or too long. */
function discard(response: IncomingMessage, timers: Timers): void {
  let bytes = 0;
  const cancel = timers.after(deliveryReplyMsMax, () => response.destroy());
  response.on('data', (chunk: Uint8Array) => {
    bytes += chunk.length;
    if (bytes > deliveryReplyBytesMax) response.destroy();
  });
  response.on('error', () => {});
  response.on('close', cancel);
}

function retryAfterOf(text: string | undefined): number | null {
  if (text === undefined || !/^\d{1,9}$/.test(text)) return null;
  return Math.min(Number(text) * 1000, retryAfterHonouredMsMax);
}

function failed(reason: FailureReason): PostOutcome {
  return { kind: 'failed', reason, status: null, retryAfterMs: null };
}
