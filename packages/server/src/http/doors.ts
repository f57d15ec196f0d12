import { once } from 'node:events';
import type { Server } from 'node:http';
import { createServer, type Server as Listener } from 'node:net';
import type { FastifyInstance } from 'fastify';
import type { ServerConfig } from '../config/config-schema.ts';
import { acceptBacklogMax, doorBacklogMin } from '../limits.ts';
import { urlOfWire } from './drain-wire.ts';

/*
 * Several listening sockets for one port. Node takes one connection from a listening socket each turn of its event loop,
 * and a turn in which a thousand connections have a request to be answered takes a tenth of a second: then whoever comes
 * anew, a balancer that asks for readiness among them, waits for seconds behind all who came anew before, and those who give
 * up leave their connections in the queue. With so many sockets so many are taken a turn; the kernel deals out who comes.
 * What was measured: docs/decisions/0027.
 */

export type DoorSettings = Pick<ServerConfig, 'host' | 'port' | 'listenSockets' | 'socketsMax'>;

/** Not everywhere may several sockets listen on a port and be dealt out to. */
export function doorsOf({ listenSockets }: Pick<DoorSettings, 'listenSockets'>): number {
  return process.platform === 'linux' ? listenSockets : 1;
}

export class Doors {
  readonly #server: Server;
  readonly #settings: DoorSettings;
  readonly #more: Listener[] = [];
  /** Connections that came in by another door than the server's own, and by any. */
  #others = 0;
  #all = 0;

  constructor(server: Server, settings: DoorSettings) {
    this.#server = server;
    this.#settings = settings;
    server.on('connection', (socket) => {
      this.#all += 1;
      socket.once('close', () => {
        this.#all -= 1;
      });
    });
  }

  /** Listens, and gives `http://host:port` with the port that was really taken. `isShared`: other processes listen there, too. */
  async open(app: FastifyInstance, { isShared }: { readonly isShared: boolean }): Promise<string> {
    const { host, port } = this.#settings;
    const count = doorsOf(this.#settings);
    const backlog = Math.max(doorBacklogMin, Math.ceil(acceptBacklogMax / count));
    const reusePort = isShared || count > 1;
    await app.listen({ host, port, backlog, ...(reusePort ? { reusePort } : {}) });
    const taken = app.server.address();
    if (taken !== null && typeof taken === 'object') {
      const place = { host: taken.address, port: taken.port, backlog, reusePort: true };
      while (this.#more.length < count - 1) this.#more.push(await this.#openOne(place));
    }
    return urlOfWire(host, taken);
  }

  /** Nobody comes in any more. Resolves once all have left who came in by these. */
  async close(): Promise<void> {
    await Promise.all(this.#more.map((door) => new Promise((resolve) => door.close(resolve))));
  }

  async #openOne(place: Parameters<Listener['listen']>[0]): Promise<Listener> {
    // As the server's own sockets are: a half that is closed is not the end, and small replies are sent at once.
    const door = createServer({ allowHalfOpen: true, noDelay: true }, (socket) => {
      if (this.#all >= this.#settings.socketsMax) return void socket.destroy();
      this.#count(1);
      socket.once('close', () => this.#count(-1));
      this.#server.emit('connection', socket);
    });
    door.listen(place);
    await once(door, 'listening');
    return door;
  }

  /** The server's own door bounds what comes in by itself, so it is told what is left. */
  #count(change: number): void {
    this.#others += change;
    this.#server.maxConnections = Math.max(0, this.#settings.socketsMax - this.#others);
  }
}
