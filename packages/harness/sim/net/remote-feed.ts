import type { Caller } from '@keyswarm/server/rooms/access/caller';
import {
  type DownstreamVerifier,
  decodeLeaseAnswer,
  encodeLeaseRequest,
  type FeedListener,
  type FeedSource,
  type FeedSubscription,
  type VerifierIdentity,
} from '@keyswarm/verifier';
import type { Life } from '../kernel/machine.ts';
import type { FeedService } from './feed-service.ts';
import { type Host, type Network, Unreachable } from './network.ts';

/* As the HTTP transport has them (verifier/limits.ts). */
const rowsMsMax = 10_000;
const snapshotMsMax = 15_000;
const helloMsMax = 5_000;
const silentMsMax = 3_000;

export interface RemoteFeedOptions {
  readonly network: Network;
  readonly life: Life;
  readonly host: Host<FeedService>;
  readonly caller: Caller;
  readonly identity: VerifierIdentity;
  readonly downstream?: () => readonly DownstreamVerifier[];
  /** Of the table that is fed: rows of another epoch are none. */
  readonly epoch: () => number;
}

/**
 * A relay at the other end of a wire. Lease asks and answers are the JSON of the product, checked by both ends; rows,
 * snapshots and pushes go over as they are, for their coding has tests of its own.
 */
export function remoteFeed(options: RemoteFeedOptions): FeedSource {
  const { network, life, host, caller, identity } = options;
  return {
    async lease(ask, signal) {
      // Its position was taken before; the roll comes after that (SPEC.md, rule 11).
      const downstream = options.downstream?.() ?? [];
      const body = encodeLeaseRequest({ verifier: identity, ask, downstream });
      const text = await network.call(life, host, (service) => service.lease(caller, body), { signal });
      return decodeLeaseAnswer(JSON.parse(text));
    },
    rows(shard, range, signal) {
      const asked = { epoch: options.epoch(), shard, range };
      return network.call(life, host, (service) => service.rows(caller, asked), { signal, msMax: rowsMsMax });
    },
    async snapshot(sink, signal) {
      const limits = { signal, msMax: snapshotMsMax };
      const sent = await network.call(life, host, (service) => service.snapshot(caller), limits);
      for (const tell of sent.tell) tell(sink);
      return sent.end;
    },
    subscribe: (from, listener) => new RemoteStream(options, listener).open(from),
  };
}

/** A stream, as its reader has it: it ends when nobody answers, when its other end dies, or when it falls silent. */
class RemoteStream {
  readonly #options: RemoteFeedOptions;
  readonly #listener: FeedListener;
  #isOver = false;
  #remote: FeedSubscription | undefined;

  constructor(options: RemoteFeedOptions, listener: FeedListener) {
    this.#options = options;
    this.#listener = listener;
  }

  open(from: Parameters<FeedService['subscribe']>[1]): FeedSubscription {
    const { network, life, host, caller } = this.#options;
    network
      .call(life, host, (service) => this.#serve(service, caller, from), { msMax: helloMsMax })
      .catch((error: unknown) => this.#end(error));
    return {
      close: () => {
        this.#isOver = true;
        this.#remote?.close();
      },
    };
  }

  async #serve(service: FeedService, caller: Caller, from: Parameters<FeedService['subscribe']>[1]) {
    const { life, host } = this.#options;
    const server = host.life;
    if (server === undefined) throw new Unreachable('refused');
    const told: FeedListener = {
      stretch: (stretch) => this.#push(server, () => this.#listener.stretch(stretch)),
      wanted: () => this.#push(server, () => this.#listener.wanted()),
      ended: (error) => this.#push(server, () => this.#end(error)),
    };
    this.#remote = await service.subscribe(caller, from, told);
    if (this.#isOver) this.#remote.close();
    server.onBreak(() => {
      if (!server.isAlive)
        life.machine.scheduler.schedule(1, () => life.reach(() => this.#end(new Unreachable('reset'))));
    });
    life.onBreak(() => {
      if (!life.isAlive) this.#remote?.close();
    });
  }

  #push(server: Life, deliver: () => void): void {
    const { network, life } = this.#options;
    if (this.#isOver) return;
    const isSent = network.push(server, life, () => {
      if (!this.#isOver) deliver();
    });
    // Its heartbeats don't arrive either.
    if (!isSent) life.timers.after(silentMsMax, () => this.#endIfCut(server));
  }

  #endIfCut(server: Life): void {
    const { network, life } = this.#options;
    if (network.isCut(server.machine.name, life.machine.name)) this.#end(new Unreachable('silent'));
  }

  #end(error: unknown): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#remote?.close();
    this.#listener.ended(error);
  }
}
