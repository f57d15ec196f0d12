import { natsDomain } from '@keyswarm/harness/nats';
import {
  createResidentVerifier,
  type Follower,
  type LeaseAnswer,
  startFollower,
  systemVerifierClock,
} from '@keyswarm/verifier';
import { decodeLeaseRequest, encodeLeaseAnswer } from '@keyswarm/verifier/lease-messages';
import { systemRandom } from '@keyswarm/verifier/random';
import { systemTimers } from '@keyswarm/verifier/timers';
import { createFeedPublisher, type FeedPublisher } from '../feed-publisher.ts';
import { createNatsFeedSource, type NatsFeedSource } from '../nats-feed-source.ts';
import { NatsLink } from '../nats-link.ts';
import { type FeedService, type ServedFeed, serveFeedOverNats } from '../serve-feed.ts';
import { SwitchedSource } from './switched-source.ts';
import { type TestKey, TestPrimary } from './test-primary.ts';

const clock = systemVerifierClock();

/** A verifier in this process that follows the primary by way of a broker. */
export interface RigVerifier {
  readonly name: string;
  readonly link: NatsLink;
  readonly source: NatsFeedSource;
  readonly fallback: SwitchedSource;
  readonly follower: Follower;
  says(key: TestKey): string;
  leaseAgeMs(): number;
  stop(): Promise<void>;
}

export interface RigServerOptions {
  readonly replicas?: number;
  readonly lease?: () => Promise<LeaseAnswer>;
  /** What it answers otherwise than it should. */
  readonly service?: Partial<FeedService>;
}

export interface RigServer {
  readonly link: NatsLink;
  readonly publisher: FeedPublisher;
  readonly served: ServedFeed;
  /** What was said of the stream, last; undefined: it is as it should be. */
  readonly streamProblem: () => unknown;
  stop(): Promise<void>;
}

/** A primary, a server that publishes what it commits and answers for it, and verifiers, over a broker that is real. */
export class NatsRig {
  readonly primary = new TestPrimary();
  readonly prefix: string;
  readonly #parts: { stop(): Promise<void> }[] = [];

  constructor(prefix = 'keyswarm') {
    this.prefix = prefix;
  }

  server(servers: readonly string[], { replicas = 3, lease, service }: RigServerOptions = {}): RigServer {
    const { primary, prefix } = this;
    const link = linkTo(servers, 'server');
    let problem: unknown = 'not looked yet';
    const publisher = createFeedPublisher({
      link,
      timers: systemTimers,
      random: systemRandom,
      prefix,
      stream: { replicas },
      onStream: (told) => {
        problem = told;
      },
    });
    primary.onCommitted = (stretch) => publisher.publish([stretch]);
    const served = serveFeedOverNats({
      link,
      random: systemRandom,
      timers: systemTimers,
      service: {
        lease: ({ body }) => answerLease(body, lease ?? (() => primary.lease())),
        rows: ({ shard, range }) => primary.rows(shard, range),
        ...service,
      },
      prefix,
    });
    const server: RigServer = {
      link,
      publisher,
      served,
      streamProblem: () => problem,
      async stop() {
        served.close();
        publisher.close();
        await link.close();
      },
    };
    this.#parts.push(server);
    return server;
  }

  async verifier(name: string, servers: readonly string[]): Promise<RigVerifier> {
    const { primary, prefix } = this;
    const link = linkTo(servers, name);
    const fallback = new SwitchedSource(primary);
    const source = createNatsFeedSource({
      link,
      fallback,
      timers: systemTimers,
      prefix,
      domain: natsDomain,
      identity: () => ({ verifier: { id: name, name, kind: 'library' }, downstream: [] }),
    });
    const resident = createResidentVerifier({ clock, shards: primary.shards });
    const follower = startFollower({
      source,
      verifier: resident,
      clock,
      timers: systemTimers,
      random: systemRandom,
    });
    const verifier: RigVerifier = {
      name,
      link,
      source,
      fallback,
      follower,
      says: ({ text }) => resident.verify(text, { workspaceId: primary.workspaceId }).code,
      leaseAgeMs: () => resident.stats().leaseAgeMs,
      async stop() {
        await follower.stop();
        await link.close();
      },
    };
    this.#parts.push(verifier);
    await follower.ready;
    return verifier;
  }

  async stop(): Promise<void> {
    for (const part of this.#parts.splice(0).reverse()) await part.stop();
  }
}

async function answerLease(body: unknown, lease: () => Promise<LeaseAnswer>): Promise<string> {
  decodeLeaseRequest(body);
  const answer = await lease();
  return encodeLeaseAnswer(answer, answer.wall ?? { earliestMs: 0, latestMs: 0 });
}

export function linkTo(servers: readonly string[], name: string): NatsLink {
  return new NatsLink({ servers, name, keepOrder: true, timers: systemTimers, random: systemRandom });
}

/** Looks again every few milliseconds; rejects past the bound. */
export async function until(what: string, isSo: () => boolean, msMax = 15_000): Promise<number> {
  const begunMs = clock.monotonicMs();
  while (!isSo()) {
    if (clock.monotonicMs() - begunMs > msMax) throw new Error(`not within ${msMax} ms: ${what}`);
    await systemTimers.sleep(2);
  }
  return clock.monotonicMs() - begunMs;
}
