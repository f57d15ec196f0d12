import { once } from 'node:events';
import { connect, createServer, type Server, type Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';

/*
 * A wire that can be broken: a port of 127.0.0.1 that stands before another one, and does to what goes through it what
 * networks do. Nothing is ever dropped out of the middle of a connection, since TCP doesn't either: what is held goes
 * on when the wire is healed, however late, or never when it is cut.
 *
 *   const wire = await startTcpProxy({ port: relayPort });
 *   wire.set({ hold: 'both' });      // silence, with every socket open: new ones are accepted and heard no more
 *   wire.heal();
 *   await wire.close();
 */

export interface TcpFault {
  /** What is sent this way stays on the wire; `both`: a black hole with its sockets open. */
  readonly hold?: 'to_server' | 'to_client' | 'both' | undefined;
  /** New connections are reset as soon as they are there. */
  readonly refuse?: boolean | undefined;
  /** Each piece takes so long, each way. */
  readonly latencyMs?: number | undefined;
  /** Pieces of at most so many bytes, each written by itself. */
  readonly sliceBytes?: number | undefined;
}

export interface TcpProxyOptions {
  readonly port: number;
  readonly host?: string | undefined;
}

export interface TcpProxy {
  readonly port: number;
  /** `http://127.0.0.1:port`. */
  readonly url: string;
  /** Connections that stand now. */
  readonly connections: number;
  /** Takes the place of the fault before it. Connections that stand are bound by it, too. */
  set(fault: TcpFault): void;
  /** Resets every connection that stands. */
  reset(): void;
  /** Everything passes again, and what was held first. */
  heal(): void;
  close(): Promise<void>;
}

export async function startTcpProxy(options: TcpProxyOptions): Promise<TcpProxy> {
  const wire = new FaultyWire(options);
  await wire.listen();
  return wire;
}

class FaultyWire implements TcpProxy {
  readonly #target: TcpProxyOptions;
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();
  readonly #closed = new AbortController();
  #fault: TcpFault = {};
  #healed = Promise.withResolvers<void>();

  constructor(target: TcpProxyOptions) {
    this.#target = target;
    this.#server = createServer({ allowHalfOpen: true }, (client) => this.#accept(client));
  }

  async listen(): Promise<void> {
    this.#server.listen(0, '127.0.0.1');
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
    return this.#sockets.size / 2;
  }

  set(fault: TcpFault): void {
    this.#fault = fault;
    // Whoever waits looks at the new fault.
    this.#healed.resolve();
    this.#healed = Promise.withResolvers<void>();
  }

  reset(): void {
    for (const socket of this.#sockets) socket.resetAndDestroy();
  }

  heal(): void {
    this.set({});
  }

  async close(): Promise<void> {
    this.#closed.abort();
    this.set({});
    this.reset();
    this.#server.close();
    if (this.#server.listening) await once(this.#server, 'close');
  }

  #accept(client: Socket): void {
    if (this.#fault.refuse === true) {
      client.on('error', () => {});
      client.resetAndDestroy();
      return;
    }
    const { host = '127.0.0.1', port } = this.#target;
    const server = connect({ host, port, allowHalfOpen: true });
    for (const [socket, other] of [
      [client, server],
      [server, client],
    ] as const) {
      this.#sockets.add(socket);
      socket.setNoDelay(true);
      // Told by `close`, with everything else that ends a socket.
      socket.on('error', () => {});
      socket.on('close', (hadError) => {
        this.#sockets.delete(socket);
        if (hadError) other.resetAndDestroy();
      });
    }
    void this.#carry(client, server, 'to_server');
    void this.#carry(server, client, 'to_client');
  }

  async #carry(from: Socket, to: Socket, way: 'to_server' | 'to_client'): Promise<void> {
    try {
      for await (const chunk of from as AsyncIterable<Buffer>) {
        if (this.#fault.latencyMs !== undefined)
          await sleep(this.#fault.latencyMs, undefined, { signal: this.#closed.signal });
        for (const piece of pieces(chunk, this.#fault.sliceBytes)) {
          await this.#passable(way);
          if (!to.write(piece)) await once(to, 'drain', { signal: this.#closed.signal });
        }
      }
      await this.#passable(way);
      to.end();
    } catch {
      from.destroy();
      to.destroy();
    }
  }

  async #passable(way: 'to_server' | 'to_client'): Promise<void> {
    while (this.#fault.hold === 'both' || this.#fault.hold === way) await this.#healed.promise;
  }
}

function* pieces(chunk: Buffer, bytes: number | undefined): Generator<Buffer> {
  const length = bytes ?? chunk.length;
  for (let at = 0; at < chunk.length; at += length) yield chunk.subarray(at, at + length);
}
