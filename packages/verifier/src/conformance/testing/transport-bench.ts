import { vi } from 'vitest';
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
  /** How long what has to come about is waited for; 20 s by default. */
  readonly patienceMs?: number | undefined;
}

/** An authority, a transport from it, and verifiers at its end. */
export class TransportBench {
  readonly clock: SteppedClock;
  readonly authority: MemoryAuthority;
  readonly transport: Transport;
  readonly #hurry: number;
  readonly #patienceMs: number;
  #asksBegun = 0;
  readonly #opened: { close(): Promise<void> | void }[] = [];

  private constructor(
    authority: MemoryAuthority,
    transport: Transport,
    { hurry, patienceMs = 20_000 }: BenchOptions,
  ) {
    this.authority = authority;
    this.clock = authority.clock;
    this.transport = transport;
    this.#hurry = hurry;
    this.#patienceMs = patienceMs;
  }

  static async start(options: BenchOptions): Promise<TransportBench> {
    const authority = new MemoryAuthority(new SteppedClock(), hurried(options.hurry));
    await authority.ready;
    return new TransportBench(authority, await options.open(authority), options);
  }

  /** How often verifiers have begun to ask for the lease. */
  get asksBegun(): number {
    return this.#asksBegun;
  }

  get faults(): TransportFaults {
    return this.transport.faults;
  }

  /** A verifier that follows over the transport; not waited for. */
  async follow(options: Partial<VerifierOptions> = {}): Promise<Verifier> {
    const opened = await this.transport.open();
    const verifier = createVerifier({
      relays: this.#counting(opened.source),
      lease: { askMs: 100 },
      ports: { machine: this.clock, timers: hurried(this.#hurry) },
      ...options,
    });
    this.#opened.push(opened, verifier);
    return verifier;
  }

  #counting(source: FeedSource): FeedSource {
    const count = () => {
      this.#asksBegun += 1;
    };
    return {
      lease(ask, signal) {
        count();
        return source.lease(ask, signal);
      },
      rows: (shard, range, signal) => source.rows(shard, range, signal),
      snapshot: (sink, signal) => source.snapshot(sink, signal),
      subscribe: (from, listener) => source.subscribe?.(from, listener) ?? { close() {} },
    };
  }

  async ready(): Promise<Verifier> {
    const verifier = await this.follow();
    await verifier.ready;
    return verifier;
  }

  /** Waits for what is to come about; fails with the last reason. */
  async comesAbout(check: () => void): Promise<void> {
    await vi.waitFor(check, { timeout: this.#patienceMs, interval: 5 });
  }

  async stop(): Promise<void> {
    this.authority.gate = async () => {};
    this.transport.faults.heal();
    for (const thing of this.#opened.splice(0).reverse()) await thing.close();
    await this.transport.close();
    await this.authority.stop();
  }
}
