import { startTestServer, type TestServer } from '../../boot/suite/test-server.ts';
import { createFeedSource } from '../../feed/feed-source.ts';
import { createPgliteStore } from '../../storage/pglite/pglite-store.ts';
import type { NodeConfig } from '../node-config.ts';
import { startTestNode, type TestNode } from './test-node.ts';

/** A server on a store in memory, and nodes that read the feed straight from that store: all in this process. */
export interface StoreHouse {
  readonly server: TestServer;
  /** Makes what every node reads fail, until it is told otherwise. */
  cut(isCut: boolean): void;
  startNode(config?: Partial<NodeConfig>, credential?: string): Promise<TestNode>;
  close(): Promise<void>;
}

const shards = 4;

export async function startStoreHouse(): Promise<StoreHouse> {
  const store = await createPgliteStore();
  const server = await startTestServer({ store });
  const feed = createFeedSource(store, { shards });
  const nodes: TestNode[] = [];
  let isCut = false;
  const linked = async <Result>(ask: () => Promise<Result>): Promise<Result> => {
    if (isCut) throw new Error('the link is cut');
    return ask();
  };
  const source = {
    lease: () => linked(() => feed.lease()),
    rows: (...asked: Parameters<typeof feed.rows>) => linked(() => feed.rows(...asked)),
    snapshot: (...asked: Parameters<typeof feed.snapshot>) => linked(() => feed.snapshot(...asked)),
  };
  return {
    server,
    cut(cut) {
      isCut = cut;
    },
    async startNode(config, credential) {
      const node = await startTestNode(source, config, credential);
      nodes.push(node);
      return node;
    },
    async close() {
      for (const node of nodes) await node.close();
      await server.close();
    },
  };
}
