import { once } from 'node:events';
import { createServer, type IncomingHttpHeaders, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

/*
 * A real HTTP server on the loopback that answers by a script, one step a request: what a proxy, a dying server
 * or a bad network does is done on a real socket, so that it is `fetch` that has to cope with it.
 */

export interface SeenRequest {
  readonly method: string | undefined;
  readonly url: string | undefined;
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
}

export type Step =
  | {
      readonly status: number;
      readonly json?: unknown;
      readonly text?: string;
      readonly headers?: Record<string, string>;
    }
  /** Closes the connection without a word. */
  | 'drop'
  /** Begins a reply and closes the connection in the middle of it. */
  | 'cut'
  /** Takes the request and never answers. */
  | 'silence'
  /** Begins a reply and never ends it. */
  | 'stall';

export class ScriptedServer implements AsyncDisposable {
  readonly seen: SeenRequest[] = [];
  readonly #steps: Step[];
  readonly #server = createServer((request, response) => {
    let body = '';
    request.setEncoding('utf8');
    request.on('data', (text: string) => {
      body += text;
    });
    request.on('end', () => {
      const { method, url, headers } = request;
      this.seen.push({ method, url, headers, body });
      this.#answer(response);
      this.#server.emit('seen');
    });
  });

  constructor(steps: readonly Step[]) {
    this.#steps = [...steps];
  }

  /** Starts listening; the URL to call. */
  async start(): Promise<string> {
    this.#server.listen(0, '127.0.0.1');
    await once(this.#server, 'listening');
    return this.url;
  }

  get url(): string {
    const { port } = this.#server.address() as AddressInfo;
    return `http://127.0.0.1:${port}`;
  }

  /** Resolves once `count` requests have come in whole. */
  async received(count: number): Promise<void> {
    while (this.seen.length < count) await once(this.#server, 'seen');
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const closed = once(this.#server, 'close');
    this.#server.close();
    this.#server.closeAllConnections();
    await closed;
  }

  #answer(response: ServerResponse): void {
    const step = this.#steps.shift();
    if (step === 'silence') return;
    if (step === 'drop') {
      response.socket?.destroy();
      return;
    }
    if (step === 'cut' || step === 'stall') {
      response.writeHead(200, { 'content-type': 'application/json' });
      response.write('{"id":"key_', () => {
        if (step === 'cut') response.socket?.destroy();
      });
      return;
    }
    const { status, json, text, headers } = step ?? { status: 500, text: 'the script has ended' };
    response.writeHead(status, { 'content-type': 'application/json', ...headers });
    response.end(text ?? JSON.stringify(json));
  }
}

/** A problem document as the server writes it. */
export function problemStep(
  status: number,
  code: string,
  extra: Readonly<Record<string, unknown>> = {},
  headers: Record<string, string> = {},
): Step {
  const json = {
    type: `urn:keyswarm:problem:${code}`,
    title: 'A problem',
    status,
    detail: `The detail of ${code}.`,
    code,
    request_id: 'req-1',
    ...extra,
  };
  return { status, json, headers: { 'content-type': 'application/problem+json', ...headers } };
}
