import { once } from 'node:events';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { Heads, LeaseAnswer } from '../../feed/feed-source.ts';
import { BadFeedRow } from '../../follow/bad-feed-row.ts';
import { decodeLeaseRequest, encodeLeaseAnswer } from '../../http/lease-messages.ts';
import { serveRows, serveSnapshot, serveStream } from '../../http/serve-feed.ts';
import type { RelayedSource } from '../../relay/feed-relay.ts';
import type { Timers } from '../../runtime/timers.ts';

export interface FeedHttpServerOptions {
  readonly source: RelayedSource;
  readonly timers: Timers;
  readonly wallMs: () => number;
  readonly heads: () => Heads;
  /** What bearers may present; undefined: anything. */
  readonly credential?: string | undefined;
}

/** What a test has it answer instead; undefined: as it should. */
export type Instead = (request: IncomingMessage, response: ServerResponse) => boolean;

/** The four endpoints of a relay on a port of this machine, with as little around them as will do. */
export class FeedHttpServer {
  readonly #options: FeedHttpServerOptions;
  readonly #server: Server;
  instead: Instead = () => false;
  /** Changes a lease answer on its way out. */
  tamper: (answer: LeaseAnswer) => object = (answer) => answer;
  readonly requests: string[] = [];
  #connections = 0;

  constructor(options: FeedHttpServerOptions) {
    this.#options = options;
    this.#server = createServer((request, response) => {
      this.requests.push(`${request.method} ${request.url}`);
      if (this.instead(request, response)) return;
      this.#serve(request, response).catch((error: unknown) => fail(response, error));
    });
  }

  /** That stand now. */
  get connections(): number {
    return this.#connections;
  }

  async listen(): Promise<void> {
    this.#server.on('connection', (socket) => {
      this.#connections += 1;
      socket.on('close', () => {
        this.#connections -= 1;
      });
    });
    this.#server.listen(0, '127.0.0.1');
    await once(this.#server, 'listening');
  }

  get port(): number {
    const address = this.#server.address();
    if (address === null || typeof address === 'string') throw new Error('the server is closed');
    return address.port;
  }

  get url(): string {
    return `http://127.0.0.1:${this.port}`;
  }

  async close(): Promise<void> {
    const closed = once(this.#server, 'close');
    this.#server.close();
    this.#server.closeAllConnections();
    await closed;
  }

  async #serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const { source, timers, credential, heads } = this.#options;
    if (credential !== undefined && request.headers.authorization !== `Bearer ${credential}`)
      return problem(response, 401, { code: 'unauthenticated' });
    const url = new URL(request.url ?? '/', 'http://relay');
    const number = (name: string) => Number(url.searchParams.get(name));
    const view = url.searchParams.get('view') ?? undefined;
    const to = { response, timers };
    if (url.pathname === '/v1/feed/lease') return await this.#lease(request, response);
    if (url.pathname === '/v1/feed/snapshot') {
      const reading = source.reading();
      if (reading === undefined) return problem(response, 503, { code: 'stale' }, { 'retry-after': '1' });
      await serveSnapshot(to, reading);
    } else if (url.pathname === '/v1/feed/rows') {
      const range = { after: number('after'), upTo: number('up_to'), limit: number('limit'), view };
      const isOld = url.searchParams.has('epoch') && number('epoch') !== heads().epoch;
      const sent = isOld ? 'gone' : await serveRows(to, { source, shard: number('shard'), range });
      if (sent === 'gone') problem(response, 410, { code: 'gone' });
    } else if (url.pathname === '/v1/feed/stream') {
      const seqs = (url.searchParams.get('after') ?? '').split(',').map(Number);
      const from = { epoch: number('epoch'), seqs, view };
      const hello = { heads: heads(), ageMs: 0, view: source.view };
      const served = serveStream(to, { source, from, hello });
      if (served === 'gone') problem(response, 410, { code: 'gone' });
      else await served;
    } else {
      problem(response, 404, { code: 'not_found' });
    }
  }

  async #lease(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const chunks: Buffer[] = [];
    for await (const chunk of request as AsyncIterable<Buffer>) chunks.push(chunk);
    const { ask } = decodeLeaseRequest(JSON.parse(Buffer.concat(chunks).toString()));
    const left = new AbortController();
    response.on('close', () => left.abort(new Error('the asker has gone')));
    const answer = await this.#options.source.lease(ask, left.signal);
    const nowMs = this.#options.wallMs();
    const whole: unknown = JSON.parse(encodeLeaseAnswer(answer, { earliestMs: nowMs, latestMs: nowMs }));
    const changed = this.tamper(answer);
    const body = changed === answer ? whole : { ...(whole as object), ...changed };
    response.writeHead(200, { 'content-type': 'application/json' });
    response.end(JSON.stringify(body));
  }
}

function fail(response: ServerResponse, error: unknown): void {
  if (error instanceof BadFeedRow) {
    const { shard, seq, reason } = error;
    problem(response, 422, { code: 'bad_feed_row', shard, seq, detail: reason });
  } else {
    problem(response, 503, { code: 'stale' });
  }
}

export function problem(
  response: ServerResponse,
  status: number,
  body: object,
  headers: Readonly<Record<string, string>> = {},
): void {
  if (response.headersSent || response.destroyed) {
    response.destroy();
    return;
  }
  response.writeHead(status, { 'content-type': 'application/problem+json', ...headers });
  response.end(JSON.stringify({ status, ...body }));
}
