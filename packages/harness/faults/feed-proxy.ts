import { once } from 'node:events';
import {
  Agent,
  createServer,
  type IncomingMessage,
  request,
  type Server,
  type ServerResponse,
} from 'node:http';
import { frameTypeOf, splitFrames } from './raw-frames.ts';

/*
 * A relay that misbehaves, in front of one that doesn't: every call goes through as it is, and of the pushed feed
 * (`GET /v1/feed/stream`) the frames that carry rows are withheld, sent again, or sent in another order. Hello and
 * heartbeats pass, so the reader sees a healthy socket. It doesn't forge: each frame is one that the relay sent.
 *
 *   const proxy = await startFeedProxy({ port: relayPort });
 *   proxy.set({ stream: 'withhold' });       // heartbeats, and no news
 *   proxy.set({ duplicates: 3, reorderWindow: 8 });
 *   proxy.set({ rows: 'hold' });             // who asks for what he missed is not answered
 *   proxy.counts                             // what was done, for whoever has to know that it happened
 */

export interface FeedFault {
  /** `withhold`: frames with rows are thrown away. */
  readonly stream?: 'withhold' | undefined;
  /** Each frame with rows is sent so many times more. */
  readonly duplicates?: number | undefined;
  /** So many frames with rows are gathered and sent in an order of chance. What is gathered when healed is sent then. */
  readonly reorderWindow?: number | undefined;
  /** `hold`: reads of rows stay without an answer; `refuse`: 503. */
  readonly rows?: 'hold' | 'refuse' | undefined;
}

export interface FeedFaultCounts {
  readonly passed: number;
  readonly withheld: number;
  readonly duplicated: number;
  readonly reordered: number;
  readonly rowReadsHeld: number;
}

export interface FeedProxy {
  readonly port: number;
  readonly url: string;
  readonly counts: FeedFaultCounts;
  set(fault: FeedFault): void;
  heal(): void;
  close(): Promise<void>;
}

export interface FeedProxyOptions {
  /** Of the relay, on 127.0.0.1. */
  readonly port: number;
  /** In [0, 1): for the order of what is reordered. */
  readonly random?: (() => number) | undefined;
}

/** Rows; the type is that of packages/verifier/src/wire/frames.ts. */
const stretchType = 3;

export async function startFeedProxy(options: FeedProxyOptions): Promise<FeedProxy> {
  const proxy = new MisbehavingRelay(options);
  await proxy.listen();
  return proxy;
}

class MisbehavingRelay implements FeedProxy {
  readonly #target: number;
  readonly #random: () => number;
  readonly #server: Server;
  readonly #agent = new Agent({ keepAlive: true });
  readonly #streams = new Set<FaultyStream>();
  readonly #held = new Set<ServerResponse>();
  readonly counts = { passed: 0, withheld: 0, duplicated: 0, reordered: 0, rowReadsHeld: 0 };
  #fault: FeedFault = {};

  constructor({ port, random = Math.random }: FeedProxyOptions) {
    this.#target = port;
    this.#random = random;
    this.#server = createServer((asked, reply) => this.#serve(asked, reply));
  }

  async listen(): Promise<void> {
    this.#server.listen(0, '127.0.0.1');
    await once(this.#server, 'listening');
  }

  get port(): number {
    const address = this.#server.address();
    if (address === null || typeof address === 'string') throw new Error('the proxy is closed');
    return address.port;
  }

  get url(): string {
    return `http://127.0.0.1:${this.port}`;
  }

  set(fault: FeedFault): void {
    this.#fault = fault;
    for (const stream of this.#streams) stream.bound(fault);
    if (fault.rows === 'hold') return;
    // Too late for an answer: whoever waited asks again.
    for (const reply of this.#held) reply.destroy();
    this.#held.clear();
  }

  heal(): void {
    this.set({});
  }

  async close(): Promise<void> {
    this.heal();
    this.#server.closeAllConnections();
    this.#agent.destroy();
    await once(this.#server.close(), 'close');
  }

  #serve(asked: IncomingMessage, reply: ServerResponse): void {
    const path = asked.url ?? '';
    if (path.startsWith('/v1/feed/rows') && this.#fault.rows !== undefined) {
      this.counts.rowReadsHeld += 1;
      if (this.#fault.rows === 'hold') this.#held.add(reply);
      else reply.writeHead(503, { 'retry-after': '1' }).end();
      return;
    }
    const { method, headers } = asked;
    const onward = request({
      host: '127.0.0.1',
      port: this.#target,
      agent: this.#agent,
      path,
      headers,
      ...(method === undefined ? {} : { method }),
    });
    onward.on('error', () => reply.destroy());
    reply.on('close', () => onward.destroy());
    onward.on('response', (answer) => {
      answer.on('error', () => reply.destroy());
      reply.writeHead(answer.statusCode ?? 502, answer.headers);
      if (path.startsWith('/v1/feed/stream') && answer.statusCode === 200) this.#carry(answer, reply);
      else answer.pipe(reply);
    });
    asked.pipe(onward);
  }

  #carry(answer: IncomingMessage, reply: ServerResponse): void {
    const stream = new FaultyStream(reply, this.counts, this.#random);
    stream.bound(this.#fault);
    this.#streams.add(stream);
    reply.on('close', () => this.#streams.delete(stream));
    const split = splitFrames();
    answer.on('data', (chunk: Buffer) => {
      for (const frame of split(chunk)) stream.take(frame);
    });
    answer.on('end', () => reply.end());
  }
}

type Counts = { -readonly [Name in keyof FeedFaultCounts]: number };

/** One pushed feed, with what of it waits to be sent in another order. */
class FaultyStream {
  readonly #reply: ServerResponse;
  readonly #counts: Counts;
  readonly #random: () => number;
  readonly #gathered: Buffer[] = [];
  #fault: FeedFault = {};

  constructor(reply: ServerResponse, counts: Counts, random: () => number) {
    this.#reply = reply;
    this.#counts = counts;
    this.#random = random;
  }

  bound(fault: FeedFault): void {
    this.#fault = fault;
    if (fault.reorderWindow === undefined) this.#sendGathered();
  }

  take(frame: Buffer): void {
    const { stream, reorderWindow } = this.#fault;
    if (frameTypeOf(frame) !== stretchType) {
      this.#reply.write(frame);
      return;
    }
    if (stream === 'withhold') {
      this.#counts.withheld += 1;
      return;
    }
    if (reorderWindow === undefined) {
      this.#send(frame);
      return;
    }
    this.#gathered.push(frame);
    if (this.#gathered.length >= reorderWindow) this.#sendGathered();
  }

  #sendGathered(): void {
    const frames = this.#gathered.splice(0);
    // Fisher and Yates: every order is as likely.
    for (let at = frames.length - 1; at > 0; at -= 1) {
      const other = Math.floor(this.#random() * (at + 1));
      const [one, two] = [frames[at], frames[other]];
      if (one === undefined || two === undefined || at === other) continue;
      frames[at] = two;
      frames[other] = one;
      this.#counts.reordered += 1;
    }
    for (const frame of frames) this.#send(frame);
  }

  #send(frame: Buffer): void {
    this.#counts.passed += 1;
    this.#reply.write(frame);
    for (let again = 0; again < (this.#fault.duplicates ?? 0); again += 1) {
      this.#counts.duplicated += 1;
      this.#reply.write(frame);
    }
  }
}
