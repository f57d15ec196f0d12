import { connect, type Socket } from 'node:net';

/*
 * An open-loop generator over raw sockets: requests fall due at a fixed rate whatever becomes of those before them,
 * and a latency counts from the instant at which its request was due. A server that is slow for a second is so told
 * of every request that fell into that second; a closed loop would have sent one and waited.
 *
 * A connection has one request under way. What falls due while all are busy waits here, and its wait is counted.
 */

export interface OpenLoadOptions {
  readonly port: number;
  /** Whole requests (head and body), sent in turn. */
  readonly requests: readonly Buffer[];
  readonly connections: number;
  readonly ratePerSecond: number;
  readonly seconds: number;
}

export interface OpenLoadResult {
  readonly answered: number;
  /** Replies by status. */
  readonly statuses: Readonly<Record<string, number>>;
  /** From due to answered, in ms, ascending. */
  readonly latenciesMs: Float64Array;
}

export async function runOpenLoad(options: OpenLoadOptions): Promise<OpenLoadResult> {
  const total = Math.floor(options.ratePerSecond * options.seconds);
  const latenciesMs = new Float64Array(total);
  const statuses: Record<string, number> = {};
  const lines = await Promise.all(Array.from({ length: options.connections }, () => Line.open(options.port)));
  const idle = [...lines];
  let due = 0;
  let sent = 0;
  let answered = 0;
  const all = Promise.withResolvers<void>();
  const began = performance.now();
  const dueAtMs = (index: number): number => began + (index * 1000) / options.ratePerSecond;

  const sendWhatIsDue = (): void => {
    while (sent < due && idle.length > 0) {
      const line = idle.pop();
      const request = options.requests[sent % options.requests.length];
      if (line === undefined || request === undefined) return;
      const index = sent;
      sent += 1;
      line.ask(request, (status) => {
        statuses[status] = (statuses[status] ?? 0) + 1;
        latenciesMs[index] = performance.now() - dueAtMs(index);
        answered += 1;
        idle.push(line);
        if (answered === total) all.resolve();
        else sendWhatIsDue();
      });
    }
  };
  const turn = (): void => {
    due = Math.min(total, Math.floor(((performance.now() - began) * options.ratePerSecond) / 1000) + 1);
    sendWhatIsDue();
    // A millisecond is the finest that a timer knows; a loop without rest would take a core from what is measured.
    if (due < total) setTimeout(turn, 1);
  };
  const broken = Promise.race(lines.map((line) => line.broken));
  turn();
  await Promise.race([all.promise, broken]);
  for (const line of lines) line.close();
  return { answered, statuses, latenciesMs: latenciesMs.sort() };
}

/** One connection. */
class Line {
  readonly broken: Promise<never>;
  readonly #socket: Socket;
  #pending: Buffer = Buffer.alloc(0);
  #onReply: ((status: string) => void) | undefined;

  private constructor(socket: Socket) {
    this.#socket = socket;
    this.broken = new Promise((_, reject) => {
      socket.on('error', reject);
      socket.on('close', () => reject(new Error('a connection was closed during the load')));
    });
    this.broken.catch(() => {});
    socket.on('data', (chunk) => this.#take(chunk));
  }

  static open(port: number): Promise<Line> {
    return new Promise((resolve, reject) => {
      const socket = connect({ port, host: '127.0.0.1', noDelay: true });
      socket.once('error', reject);
      socket.once('connect', () => resolve(new Line(socket)));
    });
  }

  ask(request: Buffer, onReply: (status: string) => void): void {
    this.#onReply = onReply;
    this.#socket.write(request);
  }

  close(): void {
    this.#socket.destroy();
  }

  #take(chunk: Buffer): void {
    this.#pending = this.#pending.length === 0 ? chunk : Buffer.concat([this.#pending, chunk]);
    const headEnd = this.#pending.indexOf('\r\n\r\n');
    if (headEnd < 0) return;
    const length = /\r\ncontent-length: *(\d+)/i.exec(this.#pending.toString('latin1', 0, headEnd))?.[1];
    if (length === undefined || this.#pending.length < headEnd + 4 + Number(length)) return;
    const status = this.#pending.toString('latin1', 9, 12);
    this.#pending = this.#pending.subarray(headEnd + 4 + Number(length));
    this.#onReply?.(status);
  }
}
