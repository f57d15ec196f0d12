import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';

/**
 * Requests of one connection that wait for the answer to the one before. Callers that pipeline at all send some ten at once; a read
 * of 64 kB could bring 1,500.
 */
const pipelinedMax = 32;

/*
 * Bounds what one connection asks before it is answered. Node takes in all requests that one read brings, which of small ones are
 * over a thousand, and hands each over at once: a few connections would put minutes of work before everybody else's, and
 * leave. Past the bound the connection is ended, and what it brought beyond is not begun.
 */
export class Pipelines {
  readonly #waiting = new WeakMap<Socket, number>();

  /** False: there is nobody to answer. */
  admits({ socket }: IncomingMessage, response: ServerResponse): boolean {
    if (socket.destroyed) return false;
    // Has the socket, unless another's answer has to go before.
    if (response.socket !== null) return true;
    if (this.#count(socket, 1) > pipelinedMax) {
      socket.destroy();
      return false;
    }
    response.once('close', () => this.#count(socket, -1));
    return true;
  }

  #count(socket: Socket, change: number): number {
    const waiting = (this.#waiting.get(socket) ?? 0) + change;
    this.#waiting.set(socket, waiting);
    return waiting;
  }
}
