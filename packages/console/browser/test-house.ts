import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { startTcpProxy, type TcpProxy } from '@keyswarm/harness/faults';
import { type Client, createClient } from '@keyswarm/sdk';
import { configWith, createLog, mintBootstrapKey, startServer, systemRandom } from '@keyswarm/server/start';

/** A server with the built page, and a wire to it that can be cut. */
export interface TestHouse {
  /** Through the wire. */
  readonly url: string;
  readonly key: string;
  readonly client: Client;
  readonly wire: TcpProxy;
  /** A management key with these scopes. */
  manager(scopes: readonly string[]): Promise<string>;
  close(): Promise<void>;
}

export async function startTestHouse(): Promise<TestHouse> {
  const folder = mkdtempSync(join(tmpdir(), 'keyswarm-console-'));
  const key = mintBootstrapKey(systemRandom).reveal();
  const config = configWith({
    port: 0,
    dataDir: folder,
    bootstrapKey: key,
    logLevel: 'warn',
    workflows: false,
    webhookHttp: true,
    webhookAllow: '127.0.0.1',
  });
  const log = createLog('fatal', { write: () => {} });
  const server = await startServer(config, { log, showFirstKey: () => {} });
  const { port } = new URL(server.url);
  const wire = await startTcpProxy({ host: '127.0.0.1', port: Number(port) });
  const client = createClient({ baseUrl: server.url, managementKey: key });
  return {
    url: wire.url,
    key,
    client,
    wire,
    async manager(scopes) {
      const owner = { kind: 'user' as const, external_id: 'watcher' };
      const { secret = '' } = await client.keys.issue({ keyspace: 'keyswarm', owner, scopes });
      return secret;
    },
    async close() {
      await wire.close();
      await server.close();
      rmSync(folder, { recursive: true });
    },
  };
}
