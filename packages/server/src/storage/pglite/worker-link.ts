import { Duplex } from 'node:stream';

/** First byte of the messages after which the engine answers (Sync, Query), and of the last one (Terminate). */
const asksForAnswer = new Set([0x53, 0x51]);
const terminate = 0x58;

export interface LinkPeer {
  /** Resolves when the engine is ready for this link's first message. */
  attach(link: WorkerLink): Promise<void>;
  send(link: WorkerLink, bytes: Uint8Array<ArrayBuffer>): void;
  detach(link: WorkerLink): void;
}

/**
 * A socket to the engine in the worker, as far as the driver can tell: it calls `connect`, writes PostgreSQL's
 * protocol and reads the answers. The driver writes whole messages, one a chunk; they are kept until one comes
 * that asks for an answer, because the engine takes a batch and runs it to its end.
 */
export class WorkerLink extends Duplex {
  readonly number: number;
  readonly #peer: LinkPeer;
  #started = false;
  #kept: Uint8Array[] = [];

  constructor(number: number, peer: LinkPeer) {
    super();
    this.number = number;
    this.#peer = peer;
  }

  connect(): this {
    this.#peer.attach(this).then(
      () => this.emit('connect'),
      (error: Error) => this.destroy(error),
    );
    return this;
  }

  /** Of a socket, and without meaning here. */
  setNoDelay(): this {
    return this;
  }

  setKeepAlive(): this {
    return this;
  }

  ref(): this {
    return this;
  }

  unref(): this {
    return this;
  }

  receive(bytes: Uint8Array): void {
    this.push(bytes);
  }

  override _read(): void {}

  override _write(chunk: Uint8Array, _encoding: string, done: () => void): void {
    this.#keep(chunk);
    done();
  }

  override _writev(chunks: readonly { readonly chunk: Uint8Array }[], done: () => void): void {
    for (const { chunk } of chunks) this.#keep(chunk);
    done();
  }

  override _final(done: () => void): void {
    this.push(null);
    done();
  }

  override _destroy(error: Error | null, done: (error: Error | null) => void): void {
    this.#peer.detach(this);
    done(error);
  }

  #keep(chunk: Uint8Array): void {
    const first = chunk[0];
    if (first === undefined || first === terminate) return;
    this.#kept.push(chunk);
    // The startup message has no type byte.
    if (this.#started && !asksForAnswer.has(first)) return;
    this.#started = true;
    const bytes = concat(this.#kept);
    this.#kept = [];
    this.#peer.send(this, bytes);
  }
}

/** A copy of its own, that can be handed over to the worker; the driver's chunks share one buffer. */
function concat(chunks: readonly Uint8Array[]): Uint8Array<ArrayBuffer> {
  let length = 0;
  for (const chunk of chunks) length += chunk.length;
  const bytes = new Uint8Array(length);
  let at = 0;
  for (const chunk of chunks) {
    bytes.set(chunk, at);
    at += chunk.length;
  }
  return bytes;
}
