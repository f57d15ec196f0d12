import { connect, type Socket } from 'node:net';

export interface LeaseAskerOptions {
  readonly port: number;
  readonly managementKey: string;
  readonly number: number;
}

export interface AskerCounts {
  readonly granted: number;
  readonly refused: number;
  readonly latenciesMs: readonly number[];
}

/** A verifier as its relay sees it: one connection, one ask a period, and the position that it was told before. */
export class LeaseAsker {
  readonly #options: LeaseAskerOptions;
  readonly #socket: Socket;
  #pending = '';
  #sentAtMs = 0;
  #applied: unknown = null;
  #granted = 0;
  #refused = 0;
  #latenciesMs: number[] = [];
  #timer: NodeJS.Timeout | undefined;

  constructor(options: LeaseAskerOptions) {
    this.#options = options;
    this.#socket = connect({ port: options.port, host: '127.0.0.1', noDelay: true });
    this.#socket.setEncoding('latin1');
    this.#socket.on('error', () => {});
    this.#socket.on('data', (chunk: string) => this.#take(chunk));
  }

  start(periodMs: number, afterMs: number): void {
    this.#timer = setTimeout(() => {
      this.#ask();
      this.#timer = setInterval(() => this.#ask(), periodMs);
    }, afterMs);
  }

  take(): AskerCounts {
    const counts = { granted: this.#granted, refused: this.#refused, latenciesMs: this.#latenciesMs };
    this.#granted = 0;
    this.#refused = 0;
    this.#latenciesMs = [];
    return counts;
  }

  stop(): void {
    clearTimeout(this.#timer);
    this.#socket.destroy();
  }

  #ask(): void {
    // An ask that is still under way is not doubled: a verifier waits for its answer, too.
    if (this.#sentAtMs > 0) return;
    const { number, managementKey } = this.#options;
    const body = JSON.stringify({
      verifier: { id: `simulated-${number}`, name: `simulated-${number}`, kind: 'library' },
      applied: this.#applied,
      lease_age_ms: this.#applied === null ? null : 250,
      fresh: false,
    });
    this.#sentAtMs = performance.now();
    this.#socket.write(
      'POST /v1/feed/lease HTTP/1.1\r\nhost: 127.0.0.1\r\ncontent-type: application/json\r\n' +
        `authorization: Bearer ${managementKey}\r\ncontent-length: ${body.length}\r\n\r\n${body}`,
    );
  }

  #take(chunk: string): void {
    this.#pending += chunk;
    const headEnd = this.#pending.indexOf('\r\n\r\n');
    if (headEnd < 0) return;
    const length = Number(/\r\ncontent-length: *(\d+)/i.exec(this.#pending.slice(0, headEnd))?.[1]);
    if (this.#pending.length < headEnd + 4 + length) return;
    const text = this.#pending.slice(headEnd + 4, headEnd + 4 + length);
    if (this.#pending.startsWith('HTTP/1.1 200')) {
      const { epoch, seqs } = JSON.parse(text);
      this.#applied = { epoch, seqs };
      this.#granted += 1;
      this.#latenciesMs.push(performance.now() - this.#sentAtMs);
    } else {
      this.#refused += 1;
    }
    this.#pending = this.#pending.slice(headEnd + 4 + length);
    this.#sentAtMs = 0;
  }
}
