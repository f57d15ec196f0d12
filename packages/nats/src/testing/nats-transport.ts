import { startTcpProxy } from '@keyswarm/harness/faults';
import { natsDomain } from '@keyswarm/harness/nats';
import { openInProcess } from '@keyswarm/verifier/conformance/testing/in-process-transport';
import type { MemoryAuthority } from '@keyswarm/verifier/conformance/testing/memory-authority';
import { PushFaults } from '@keyswarm/verifier/conformance/testing/push-faults';
import { hurried } from '@keyswarm/verifier/conformance/testing/stepped-clock';
import type { Transport } from '@keyswarm/verifier/conformance/testing/transport-bench';
import { decodeLeaseRequest, encodeLeaseAnswer } from '@keyswarm/verifier/lease-messages';
import { systemRandom } from '@keyswarm/verifier/random';
import { createFeedPublisher, type FeedPublisher } from '../feed-publisher.ts';
import { createNatsFeedSource } from '../nats-feed-source.ts';
import { NatsLink } from '../nats-link.ts';
import { serveFeedOverNats } from '../serve-feed.ts';
import { until } from './nats-rig.ts';

export interface NatsTransportOptions {
  readonly urls: readonly string[];
  readonly prefix: string;
  readonly hurry: number;
  /** Counted up by each client when it closes. */
  readonly used: { leasesByNats: number; received: number };
}

/**
 * A server beside the authority's relay that publishes and answers, a wire that can be broken before one node of the
 * broker, and clients at the other end of it; beside it the relay itself, over a way that breaks with the wire.
 */
export async function openNats(
  authority: MemoryAuthority,
  { urls, prefix, hurry, used }: NatsTransportOptions,
): Promise<Transport> {
  const timers = hurried(hurry);
  const common = { timers, random: systemRandom, keepOrder: true };
  const link = new NatsLink({ ...common, servers: urls, name: 'server' });
  let hasStream = false;
  const publisher = createFeedPublisher({
    ...{ link, timers, prefix, random: systemRandom },
    stream: { replicas: urls.length, maxBytes: 8 * 1024 * 1024 },
    onStream: (problem) => {
      hasStream = problem === undefined;
    },
  });
  const stopTelling = publishAll(authority, publisher);
  const relayed = authority.relay.sourceFor({});
  const served = serveFeedOverNats({
    ...{ link, timers, prefix, random: systemRandom },
    service: {
      async lease({ body }, signal) {
        const wallMs = authority.clock.wallMs();
        const answer = await relayed.lease(decodeLeaseRequest(body).ask, signal);
        return encodeLeaseAnswer(answer, { earliestMs: wallMs, latestMs: authority.clock.wallMs() });
      },
      rows: ({ shard, range }, signal) => relayed.rows(shard, range, signal),
    },
  });
  await until('the stream is there', () => hasStream);
  const [first = ''] = urls;
  const wire = await startTcpProxy({ port: Number(new URL(first).port) });
  const beside = await openInProcess(authority);
  const pushes = new PushFaults();
  return {
    faults: {
      silence() {
        wire.set({ hold: 'both' });
        beside.faults.silence();
      },
      breakAll() {
        wire.set({ refuse: true });
        wire.reset();
        beside.faults.breakAll();
      },
      duplicate: () => pushes.set('twice'),
      reorder: () => pushes.set('reordered'),
      dropPushes: () => pushes.set('dropped'),
      heal() {
        pushes.set('none');
        wire.heal();
        beside.faults.heal();
      },
    },
    async open() {
      const fallback = await beside.open();
      const client = new NatsLink({
        ...common,
        servers: [`127.0.0.1:${wire.port}`],
        isAlone: true,
        name: 'client',
      });
      const source = createNatsFeedSource({
        ...{ link: client, timers, prefix, domain: natsDomain },
        fallback: fallback.source,
        identity: () => ({ verifier: { id: 'client', name: 'client', kind: 'library' }, downstream: [] }),
      });
      const close = () => {
        used.leasesByNats += source.stats.leasesByNats;
        used.received += source.stats.received;
        return client.close();
      };
      return { source: pushes.on(source), close };
    },
    async close() {
      stopTelling();
      served.close();
      publisher.close();
      await link.close();
      await wire.close();
      await beside.close();
    },
  };
}

/** What the relay passes on is published, from wherever it stands after a new epoch. */
function publishAll(authority: MemoryAuthority, publisher: FeedPublisher): () => void {
  let isClosed = false;
  let subscription: { close(): void } | undefined;
  const subscribe = () => {
    subscription = authority.relay.sourceFor({}).subscribe(authority.resident.applied(), {
      stretch: (stretch) => publisher.publish([stretch]),
      wanted: () => publisher.want(),
      ended: () => {
        if (!isClosed) queueMicrotask(subscribe);
      },
    });
  };
  subscribe();
  return () => {
    isClosed = true;
    subscription?.close();
  };
}
