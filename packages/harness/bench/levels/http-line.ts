import { connect, type Socket } from 'node:net';

export interface LineReply {
  /** 0: the connection broke before a reply came. */
  readonly status: number;
  readonly text: string;
}

/**
 * One keep-alive connection over the raw wire, with one request under way. Node's own client costs more a request than
 * the server that it asks. It connects when it is first used, and again after it broke, as a pool does.
 */
export class HttpLine {
  readonly #target: { readonly host: string; readonly port: number };
  #socket: Socket | undefined;
  #pending: Buffer = Buffer.alloc(0);
  #onReply: ((reply: LineReply) => void) | undefined;

  constructor(target: { readonly host: string; readonly port: number }) {
    this.#target = target;
  }

  /** `onReply` is called once, whatever happens. `request` is ASCII. */
  ask(request: string, onReply: (reply: LineReply) => void): void {
    this.#onReply = onReply;
    this.#open().write(request, 'latin1');
  }

  close(): void {
    this.#onReply = undefined;
    this.#socket?.destroy();
    this.#socket = undefined;
  }

  #open(): Socket {
    if (this.#socket !== undefined) return this.#socket;
    const socket = connect({ ...this.#target, noDelay: true });
    this.#socket = socket;
    this.#pending = Buffer.alloc(0);
    socket.on('error', () => {});
    socket.on('close', () => {
      if (this.#socket !== socket) return;
      this.#socket = undefined;
      this.#answer({ status: 0, text: '' });
    });
    socket.on('data', (chunk) => this.#take(chunk));
    return socket;
  }

  #take(chunk: Buffer): void {
    this.#pending = this.#pending.length === 0 ? chunk : Buffer.concat([this.#pending, chunk]);
    const headEnd = this.#pending.indexOf('\r\n\r\n');
    if (headEnd < 0) return;
    const head = this.#pending.toString('latin1', 0, headEnd);
    const length = /\r\ncontent-length: *(\d+)/i.exec(head)?.[1];
    // What tells no length (a proxy's page, say) ends with its connection: it is answered as broken, and opened anew.
    if (length === undefined) {
      this.#socket?.destroy();
      return;
    }
    const end = headEnd + 4 + Number(length);
    if (this.#pending.length < end) return;
    const text = this.#pending.toString('latin1', headEnd + 4, end);
    this.#pending = this.#pending.subarray(end);
    if (/\r\nconnection: *close/i.test(head)) {
      this.#socket?.destroy();
      this.#socket = undefined;
    }
    this.#answer({ status: Number(head.slice(9, 12)), text });
  }

  #answer(reply: LineReply): void {
    const onReply = this.#onReply;
    this.#onReply = undefined;
    onReply?.(reply);
  }
}
