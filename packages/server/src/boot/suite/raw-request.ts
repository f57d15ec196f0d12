import { once } from 'node:events';
import { connect, type Socket } from 'node:net';

/** A connection on which a test writes bytes as it likes, and a request whose body it holds back. */
export class RawConnection {
  readonly socket: Socket;
  #received = '';

  private constructor(socket: Socket) {
    this.socket = socket;
    socket.on('data', (chunk) => {
      this.#received += chunk.toString('latin1');
    });
    socket.on('error', () => {});
  }

  static async open(url: string): Promise<RawConnection> {
    const { hostname, port } = new URL(url);
    const socket = connect(Number(port), hostname);
    await once(socket, 'connect');
    return new RawConnection(socket);
  }

  get received(): string {
    return this.#received;
  }

  /** The head of a POST whose body of `bytes` bytes does not come yet; resolves once the server has read it. */
  async hold(path: string, key: string, bytes: number): Promise<void> {
    const head = [
      `POST ${path} HTTP/1.1`,
      'Host: x',
      `Authorization: Bearer ${key}`,
      'Content-Type: application/json',
      `Content-Length: ${bytes}`,
      'Expect: 100-continue',
    ];
    this.socket.write(`${head.join('\r\n')}\r\n\r\n`);
    // Node says "100 Continue" in the same turn in which it hands the request over.
    await this.until('100 Continue');
  }

  async until(text: string): Promise<void> {
    const ended = this.ended();
    while (!this.#received.includes(text)) {
      await Promise.race([once(this.socket, 'data'), ended]);
      if (this.socket.closed && !this.#received.includes(text)) {
        throw new Error(`the connection ended without ${text}: ${this.#received}`);
      }
    }
  }

  /** Resolves when the server has ended the connection. */
  async ended(): Promise<void> {
    if (!this.socket.closed) await once(this.socket, 'close');
  }
}
