import { createVerifier, type VerifierOptions } from '../../create-verifier.ts';
import type { FeedSource } from '../../feed/feed-source.ts';
import type { Verifier } from '../../library/verifier-api.ts';
import { MemoryAuthority } from './memory-authority.ts';
import { hurried, SteppedClock } from './stepped-clock.ts';

export interface TransportFaults {
  /** Nothing passes either way, and nobody is told: whoever asks waits. */
  silence(): void;
  /** Nobody can be reached, and what was open breaks. */
  breakAll(): void;
  /** What is pushed comes twice; out of its order; or not at all. Asks are answered. */
  duplicate(): void;
  reorder(): void;
  dropPushes(): void;
  /** All of it ends. */
  heal(): void;
}

export interface Transport {
  readonly faults: TransportFaults;
  /** For a fresh client. */
  open(): Promise<OpenedSource>;
  close(): Promise<void>;
}

export interface OpenedSource {
  readonly source: FeedSource;
  close(): Promise<void> | void;
}

/** Over `authority.relay`, which is ready. */
export type OpenTransport = (authority: MemoryAuthority) => Promise<Transport>;

export interface BenchOptions {
  readonly open: OpenTransport;
  /** The part of the time that timers take. */
  readonly hurry: number;
}

/** An authority, a transport from it, and verifiers at its end. */
export class TransportBench {
  readonly clock: SteppedClock;
  readonly authority: MemoryAuthority;
  readonly transport: Transport;
  readonly #hurry: number;
  readonly #opened: { close(): Promise<void> | void }[] = [];

  private constructor(authority: MemoryAuthority, transport: Transport, hurry: number) {
    this.authority = authority;
    this.clock = authority.clock;
    this.transport = transport;
    this.#hurry = hurry;
  }

  static async start({ open, hurry }: BenchOptions): Promise<TransportBench> {
    const authority = new MemoryAuthority(new SteppedClock(), hurried(hurry));
    await authority.ready;
    return new TransportBench(authority, await open(authority), hurry);
  }

  get faults(): TransportFaults {
    return this.transport.faults;
  }

  /** A verifier that follows over the transport; not waited for. */
  async follow(options: Partial<VerifierOptions> = {}): Promise<Verifier> {
    const opened = await this.transport.open();
    const verifier = createVerifier({
      relays: opened.source,
      lease: { askMs: 100 },
      ports: { machine: this.clock, timers: hurried(this.#hurry) },
      ...options,
    });
    this.#opened.push(opened, verifier);
    return verifier;
  }

  async ready(): Promise<Verifier> {
    const verifier = await this.follow();
    await verifier.ready;
    return verifier;
  }

  async stop(): Promise<void> {
    this.authority.gate = async () => {};
    this.transport.faults.heal();
    for (const thing of this.#opened.splice(0).reverse()) await thing.close();
    await this.transport.close();
    await this.authority.stop();
  }
}
