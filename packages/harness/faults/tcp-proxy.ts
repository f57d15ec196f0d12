import { once } from 'node:events';
import { connect, createServer, type Server, type Socket } from 'node:net';
import { TcpLine, type Way } from './tcp-line.ts';

/*
 * A wire that can be broken: a port of 127.0.0.1 that stands before another one, and does to what goes through it what
 * networks do. Nothing is ever dropped out of the middle of a connection, since TCP doesn't either: what is held goes
 * on when the wire is healed, however late, or never when it is cut.
 *
 *   const wire = await startTcpProxy({ port: relayPort });
 *   wire.set({ hold: 'both' });      // silence, with every socket open: new ones are accepted and heard no more
 *   wire.heal();
 *   wire.orphan('client');           // the other end is gone and nobody was told: half-open
 *   wire.retarget(promotedPort);     // what stands is reset, what comes is led elsewhere
 *   await wire.close();
 */

export interface TcpFault {
  /** What is sent this way stays on the wire; `both`: a black hole with its sockets open. */
  readonly hold?: Way | 'both' | undefined;
  /** New connections are reset as soon as they are there. */
  readonly refuse?: boolean | undefined;
  /** Each piece takes so long, each way. */
  readonly latencyMs?: number | undefined;
  /** And up to so much more, by chance; the order stays. */
  readonly jitterMs?: number | undefined;
  /** Each way, of each connection. */
  readonly bandwidthBytesPerSecond?: number | undefined;
  /** Pieces of at most so many bytes, each written by itself. */
  readonly sliceBytes?: number | undefined;
}

export interface TcpProxyOptions {
  /** Where it leads. */
  readonly port: number;
  readonly host?: string | undefined;
  /** Where it listens; a free port when absent. */
  readonly listenPort?: number | undefined;
  /** 127.0.0.1 when absent. */
  readonly listenHost?: string | undefined;
  /** In [0, 1), for the jitter. */
  readonly random?: (() => number) | undefined;
}

export interface TcpProxy {
  readonly port: number;
  /** `http://127.0.0.1:port`. */
  readonly url: string;
  /** Connections that stand now. */
  readonly connections: number;
  /** The port that it leads to. */
  readonly target: number;
  /** What holds now. */
  readonly fault: TcpFault;
  /** Takes the place of the fault before it. Connections that stand are bound by it, too. */
  set(fault: TcpFault): void;
  /** Resets every connection that stands. */
  reset(): void;
  /** Everything passes again, and what was held first. */
  heal(): void;
  /**
   * Leaves those on one side with open sockets and nobody behind them: the other side is reset, and what they send is
   * swallowed. New connections are not touched.
   */
  orphan(who: 'client' | 'server'): void;
  /** Resets what stands and leads to another port from now on, of the same host unless one is named. */
  retarget(port: number, host?: string): void;
  close(): Promise<void>;
}

export async function startTcpProxy(options: TcpProxyOptions): Promise<TcpProxy> {
  const wire = new FaultyWire(options);
  await wire.listen(options);
  return wire;
}

interface Pair {
  readonly client: Socket;
  readonly server: Socket;
  isOrphaned: boolean;
}

class FaultyWire implements TcpProxy {
  readonly #random: () => number;
  readonly #server: Server;
  readonly #pairs = new Set<Pair>();
  readonly #closed = new AbortController();
  #target: number;
  #host: string;
  #fault: TcpFault = {};
  #changed = Promise.withResolvers<void>();

  constructor({ port, host = '127.0.0.1', random = Math.random }: TcpProxyOptions) {
    this.#target = port;
    this.#host = host;
    this.#random = random;
    this.#server = createServer({ allowHalfOpen: true }, (client) => this.#accept(client));
  }

  async listen({ listenPort = 0, listenHost = '127.0.0.1' }: TcpProxyOptions): Promise<void> {
    this.#server.listen(listenPort, listenHost);
    await once(this.#server, 'listening');
  }

  get port(): number {
    const address = this.#server.address();
    if (address === null || typeof address === 'string') throw new Error('the wire is closed');
    return address.port;
  }

  get url(): string {
    return `http://127.0.0.1:${this.port}`;
  }

  get connections(): number {
    return this.#pairs.size;
  }

  get target(): number {
    return this.#target;
  }

  get fault(): TcpFault {
    return this.#fault;
  }

  set(fault: TcpFault): void {
    this.#fault = fault;
    // Whoever waits looks at the new fault.
    this.#changed.resolve();
    this.#changed = Promise.withResolvers<void>();
  }

  reset(): void {
    for (const { client, server } of this.#pairs) for (const one of [client, server]) cut(one);
  }

  heal(): void {
    this.set({});
  }

  orphan(who: 'client' | 'server'): void {
    for (const pair of this.#pairs) {
      pair.isOrphaned = true;
      cut(who === 'client' ? pair.server : pair.client);
    }
  }

  retarget(port: number, host = this.#host): void {
    this.#target = port;
    this.#host = host;
    this.reset();
  }

  async close(): Promise<void> {
    this.#closed.abort();
    this.set({});
    this.reset();
    const wasOpen = this.#server.listening;
    this.#server.close();
    if (wasOpen) await once(this.#server, 'close');
  }

  #accept(client: Socket): void {
    if (this.#fault.refuse === true) {
      client.on('error', () => {});
      cut(client);
      return;
    }
    const server = connect({ host: this.#host, port: this.#target, allowHalfOpen: true });
    const pair: Pair = { client, server, isOrphaned: false };
    this.#pairs.add(pair);
    for (const [socket, other] of [
      [client, server],
      [server, client],
    ] as const) {
      socket.setNoDelay(true);
      // Told by `close`, with everything else that ends a socket.
      socket.on('error', () => {});
      socket.on('close', (hadError) => {
        if (client.destroyed && server.destroyed) this.#pairs.delete(pair);
        if (hadError && !pair.isOrphaned) cut(other);
      });
    }
    this.#carry(pair, 'to_server');
    this.#carry(pair, 'to_client');
  }

  #carry(pair: Pair, way: Way): void {
    const [from, to] = way === 'to_server' ? [pair.client, pair.server] : [pair.server, pair.client];
    const line = new TcpLine({
      from,
      to,
      way,
      fault: () => this.#fault,
      changed: () => this.#changed.promise,
      random: this.#random,
      closed: this.#closed.signal,
      isOrphaned: () => pair.isOrphaned,
    });
    void line.carry();
  }
}

/**
 * A reset, but for a socket whose end is under way: there the system refuses one, and Node then forgets the socket with its
 * descriptor open, so that whoever is at the other end hears nothing, and this process can not end.
 */
function cut(socket: Socket): void {
  if (socket.destroyed) return;
  if (socket.writableEnded && !socket.writableFinished) socket.destroy();
  else socket.resetAndDestroy();
}
