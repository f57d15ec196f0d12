import { startTcpProxy } from '@keyswarm/harness/faults';
import { createHttpFeedSource } from '../../http/http-feed-source.ts';
import type { RelayedSource } from '../../relay/feed-relay.ts';
import { systemRandom } from '../../runtime/random.ts';
import { FeedHttpServer } from './feed-http-server.ts';
import type { MemoryAuthority } from './memory-authority.ts';
import { PushFaults } from './push-faults.ts';
import { hurried } from './stepped-clock.ts';
import type { Transport } from './transport-bench.ts';

/** The relay on a port, a wire that can be broken before it, and clients at the other end of the wire. */
export async function openHttp(authority: MemoryAuthority, hurry: number): Promise<Transport> {
  const pushes = new PushFaults();
  const timers = hurried(hurry);
  const relayed = authority.relay.sourceFor({});
  const source: RelayedSource = {
    ...relayed,
    subscribe: (from, listener) => pushes.on(relayed).subscribe?.(from, listener) ?? { close() {} },
  };
  const server = new FeedHttpServer({
    source,
    timers,
    wallMs: () => authority.clock.wallMs(),
    heads: () => authority.resident.applied(),
  });
  await server.listen();
  const wire = await startTcpProxy({ port: server.port });
  let clients = 0;
  return {
    faults: {
      silence: () => wire.set({ hold: 'both' }),
      breakAll() {
        wire.set({ refuse: true });
        wire.reset();
      },
      duplicate: () => pushes.set('twice'),
      reorder: () => pushes.set('reordered'),
      dropPushes: () => pushes.set('dropped'),
      heal() {
        pushes.set('none');
        wire.heal();
      },
    },
    async open() {
      clients += 1;
      const identity = { id: `client-${clients}`, name: 'client', kind: 'library' } as const;
      const client = createHttpFeedSource({
        url: wire.url,
        credential: 'ks_test',
        identity,
        timers,
        random: systemRandom,
      });
      return { source: client, close: () => client.close() };
    },
    async close() {
      await wire.close();
      await server.close();
    },
  };
}
