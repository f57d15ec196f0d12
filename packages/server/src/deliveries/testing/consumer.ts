import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

export interface Received {
  readonly id: string;
  readonly type: string;
  readonly subject: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

/** A consumer of webhooks on the loopback address, which does as it is told. */
export class Consumer {
  readonly received: Received[] = [];
  /** What it answers; by default it takes everything. */
  answer: (event: Received, response: ServerResponse) => void = (_, response) => void response.end();
  readonly #server: Server;
  readonly #waiting: { readonly isEnough: () => boolean; readonly done: () => void }[] = [];
  readonly #ids = new Set<string>();

  private constructor(server: Server) {
    this.#server = server;
  }

  static async start(): Promise<Consumer> {
    const server = createServer((request, response) => void consumer.#take(request, response));
    const consumer = new Consumer(server);
    await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
    return consumer;
  }

  get url(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}/hook`;
  }

  /** Resolves once it has taken so many in all. */
  async until(count: number): Promise<readonly Received[]> {
    await this.#await(() => this.received.length >= count);
    return this.received;
  }

  /** The same, where one that came twice counts once. */
  async untilDistinct(count: number): Promise<void> {
    await this.#await(() => this.#ids.size >= count);
  }

  async #await(isEnough: () => boolean): Promise<void> {
    if (!isEnough()) await new Promise<void>((done) => this.#waiting.push({ isEnough, done }));
  }

  /** Of one thing, the numbers of its events as they came, each once. */
  seqsOf(subject: string): readonly number[] {
    const ids = this.received.filter((event) => event.subject === subject).map(({ id }) => id);
    return [...new Set(ids)].map((id) => Number(id.split('-')[2]));
  }

  async stop(): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise<void>((done) => this.#server.close(() => done()));
  }

  async #take(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const chunks: Uint8Array[] = [];
    for await (const chunk of request) chunks.push(chunk as Uint8Array);
    const body = Buffer.concat(chunks).toString('utf8');
    const { id, type, subject } = JSON.parse(body) as { id: string; type: string; subject: string };
    const event = { id, type, subject, body, headers: request.headers as Record<string, string> };
    this.answer(event, response);
    if (response.statusCode >= 300) return;
    this.received.push(event);
    this.#ids.add(id);
    for (const wait of this.#waiting.splice(0)) {
      if (wait.isEnough()) wait.done();
      else this.#waiting.push(wait);
    }
  }
}
