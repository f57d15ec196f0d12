import { Agent as HttpAgent, type IncomingMessage, request as requestHttp } from 'node:http';
import { Agent as HttpsAgent, request as requestHttps } from 'node:https';
import { isFaultCode, Secret } from '@keyswarm/core';
import { problemBytesMax, replyHeadBytesMax, replyHeadMsMax, retryAfterMsMax } from '../limits.ts';
import type { Timers } from '../runtime/timers.ts';
import {
  BadAnswer,
  RelayBusy,
  RelayError,
  RelayFailed,
  RelayGone,
  RelayRefused,
  RelayUnreachable,
} from './relay-errors.ts';

export interface RelayCallsOptions {
  /** Where the relay's API begins: `https://relay.example` or with a path before `/v1`. */
  readonly url: string;
  readonly credential: Secret | string;
  readonly timers: Timers;
}

export interface RelayCall {
  readonly method: 'GET' | 'POST';
  /** From `/v1` on, with its query. */
  readonly path: string;
  readonly body?: string;
  readonly signal: AbortSignal;
  /** Until the head of the answer is there. */
  readonly headMsMax?: number;
}

export interface BadRowProblem {
  readonly shard: number;
  readonly seq: number;
  readonly detail: string;
}

/**
 * Calls to one relay over kept connections. Every answer but 200 is an error of `relay-errors.ts`, read no further
 * than its bound; a redirect is one, too: the credential goes to the origin that was named and to no other.
 */
export class RelayCalls {
  /** For errors and logs. */
  readonly origin: string;
  readonly #base: URL;
  readonly #timers: Timers;
  readonly #credential: Secret;
  readonly #agent: HttpAgent | HttpsAgent;

  constructor({ url, credential, timers }: RelayCallsOptions) {
    this.#base = relayUrl(url);
    this.origin = this.#base.origin;
    this.#timers = timers;
    this.#credential = typeof credential === 'string' ? new Secret(credential) : credential;
    if (!isHeaderText(this.#credential.reveal()))
      throw new TypeError('the credential of a relay must be printable ASCII without spaces');
    const settings = { keepAlive: true, maxSockets: 8, maxFreeSockets: 4 };
    this.#agent = this.#base.protocol === 'https:' ? new HttpsAgent(settings) : new HttpAgent(settings);
  }

  close(): void {
    this.#agent.destroy();
  }

  /** The answer of status 200, its body still to be read. Whoever gets it has to read it or destroy it. */
  async ask(call: RelayCall): Promise<IncomingMessage> {
    const reply = await this.#head(call, false);
    if (reply.statusCode === 200) return reply;
    throw await this.#errorOf(reply, call.signal);
  }

  /** The whole answer, of at most so many bytes, in at most so many ms. */
  async askWhole(
    call: RelayCall,
    bounds: { readonly bytesMax: number; readonly msMax: number },
  ): Promise<Buffer> {
    const overdue = new AbortController();
    const cancel = this.#timers.after(bounds.msMax, () =>
      overdue.abort(this.#unreachable('no answer in time')),
    );
    try {
      const signal = AbortSignal.any([call.signal, overdue.signal]);
      return await readWhole(await this.ask({ ...call, signal }), bounds.bytesMax, signal);
    } catch (error) {
      throw overdue.signal.aborted && !call.signal.aborted
        ? overdue.signal.reason
        : this.#asUnreachable(error);
    } finally {
      cancel();
    }
  }

  /** What cut a body off, told without anything of the request. */
  unreachableFrom(error: unknown): unknown {
    return this.#asUnreachable(error);
  }

  #head(call: RelayCall, isSecondTry: boolean): Promise<IncomingMessage> {
    const { method, path, body, signal, headMsMax = replyHeadMsMax } = call;
    if (signal.aborted) return Promise.reject(signal.reason);
    const { promise, resolve, reject } = Promise.withResolvers<IncomingMessage>();
    const request = (this.#base.protocol === 'https:' ? requestHttps : requestHttp)({
      ...addressOf(this.#base),
      path: `${this.#base.pathname.replace(/\/$/, '')}${path}`,
      method,
      agent: this.#agent,
      maxHeaderSize: replyHeadBytesMax,
      headers: {
        authorization: `Bearer ${this.#credential.reveal()}`,
        accept: 'application/json, application/problem+json, application/vnd.keyswarm.feed',
        ...(body === undefined
          ? {}
          : { 'content-type': 'application/json', 'content-length': Buffer.byteLength(body) }),
      },
    });
    let settled = false;
    const give = (error: unknown) => {
      settle();
      request.destroy();
      reject(error);
    };
    const abort = () => give(signal.reason);
    const cancel = this.#timers.after(headMsMax, () => give(this.#unreachable('no answer in time')));
    const settle = () => {
      settled = true;
      cancel();
      signal.removeEventListener('abort', abort);
    };
    signal.addEventListener('abort', abort, { once: true });
    request.on('response', (reply) => {
      settle();
      resolve(reply);
    });
    request.on('error', (error) => {
      if (settled) return;
      settle();
      // A kept connection that the relay closed as we wrote: nothing was heard, and every call may be repeated.
      const isStaleSocket = request.reusedSocket && codeOf(error) === 'ECONNRESET' && !isSecondTry;
      if (isStaleSocket) this.#head(call, true).then(resolve, reject);
      else reject(this.#asUnreachable(error));
    });
    request.end(body);
    return promise;
  }

  async #errorOf(reply: IncomingMessage, signal: AbortSignal): Promise<Error> {
    const status = reply.statusCode ?? 0;
    // Its head has said the most of it: of a problem that doesn't come to its end nothing is waited for.
    const overdue = new AbortController();
    const cancel = this.#timers.after(replyHeadMsMax, () =>
      overdue.abort(this.#unreachable('no answer in time')),
    );
    const problem = await problemOf(reply, AbortSignal.any([signal, overdue.signal]));
    cancel();
    const code = isFaultCode(problem.code) ? problem.code : undefined;
    if (status === 401 || status === 403 || status === 404)
      return new RelayRefused(this.origin, status, code);
    if (status === 410) return new RelayGone(this.origin);
    if (status === 503 || status === 429)
      return new RelayBusy(this.origin, status, retryAfterMsOf(reply.headers['retry-after']));
    const { shard, seq, detail } = problem;
    if (status === 422 && problem.code === 'bad_feed_row' && isPlace(shard) && isPlace(seq))
      return new BadRowAnswer({ shard, seq, detail: this.#shown(detail) ?? 'the relay can not read it' });
    return new RelayFailed(this.origin, status);
  }

  /** What a relay wrote goes into our messages only when it is short, one line, and not the credential again. */
  #shown(text: unknown): string | undefined {
    if (typeof text !== 'string' || !/^[\x20-\x7e]{1,200}$/.test(text)) return undefined;
    return text.includes(this.#credential.reveal()) ? undefined : text;
  }

  #asUnreachable(error: unknown): unknown {
    if (!(error instanceof Error) || error instanceof RelayError) return error;
    const code = codeOf(error);
    return code === undefined ? error : this.#unreachable(code);
  }

  #unreachable(why: string): RelayUnreachable {
    return new RelayUnreachable(this.origin, why);
  }
}

/** 422: the relay met a row that it can't read either. */
export class BadRowAnswer extends Error {
  override readonly name = 'BadRowAnswer';
  readonly row: BadRowProblem;

  constructor(row: BadRowProblem) {
    super(`the relay can not read row ${row.seq} of shard ${row.shard}`);
    this.row = row;
  }
}

function relayUrl(text: string): URL {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  const isHttp = url?.protocol === 'http:' || url?.protocol === 'https:';
  if (url === undefined || !isHttp || url.username !== '' || url.password !== '' || url.search !== '')
    throw new TypeError('the URL of a relay must be http:// or https://, without a user or a query');
  return url;
}

function addressOf({ hostname, port }: URL) {
  const host = hostname.startsWith('[') ? hostname.slice(1, -1) : hostname;
  return { host, ...(port === '' ? {} : { port }) };
}

async function readWhole(reply: IncomingMessage, bytesMax: number, signal: AbortSignal): Promise<Buffer> {
  const abort = () => reply.destroy(signal.reason instanceof Error ? signal.reason : undefined);
  signal.addEventListener('abort', abort, { once: true });
  if (signal.aborted) abort();
  try {
    const chunks: Buffer[] = [];
    let bytes = 0;
    for await (const chunk of reply as AsyncIterable<Buffer>) {
      bytes += chunk.length;
      if (bytes > bytesMax) throw new BadAnswer(`the answer is longer than ${bytesMax} bytes`);
      chunks.push(chunk);
    }
    return Buffer.concat(chunks);
  } finally {
    signal.removeEventListener('abort', abort);
    // Only one that was left in the middle: a whole one gives its connection back.
    if (!reply.complete) reply.destroy();
  }
}

/** A problem document, or nothing of it when it isn't one or is too long. */
async function problemOf(
  reply: IncomingMessage,
  signal: AbortSignal,
): Promise<Readonly<Record<string, unknown>>> {
  try {
    const json: unknown = JSON.parse((await readWhole(reply, problemBytesMax, signal)).toString());
    return typeof json === 'object' && json !== null ? { ...json } : {};
  } catch {
    return {};
  }
}

/** Seconds, as our relays send it. A date, which a proxy may send, counts as none. */
function retryAfterMsOf(header: string | undefined): number | undefined {
  if (header === undefined || !/^\d{1,9}$/.test(header)) return undefined;
  return Math.min(Number(header) * 1000, retryAfterMsMax);
}

function codeOf(error: unknown): string | undefined {
  if (!(error instanceof Error) || !('code' in error)) return undefined;
  return typeof error.code === 'string' ? error.code : undefined;
}

function isPlace(value: unknown): value is number {
  return typeof value === 'number' && Number.isSafeInteger(value) && value >= 0;
}

function isHeaderText(text: string): boolean {
  return /^[\x21-\x7e]{1,4096}$/.test(text);
}
