import { mkdtempSync, realpathSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { startWatchdog } from '../processes/start-watchdog.ts';
import { findNats } from './find-nats.ts';
import { findFreePorts } from './free-ports.ts';
import { knowsMetaLeader, monitorOf, streamLeaderSeenBy } from './monitor.ts';
import { NatsNode } from './nats-node.ts';
import { TcpLink } from './tcp-link.ts';

/*
 * A real NATS cluster for tests: nodes of `nats-server` on free ports of 127.0.0.1 with JetStream in a temporary
 * folder, and, when asked for, a leaf node that stands for a second region: it has no JetStream of its own and
 * reaches the cluster over a link that a test can cut, silence and mend.
 *
 * Nothing is left behind: `stop` ends every node by its pid and removes the folder; if this process dies first, a
 * watchdog at the other end of a pipe does both. Every wait is bounded.
 */

export interface NatsClusterOptions {
  /** 3 unless said otherwise; 1 is a server on its own. */
  readonly nodes?: number;
  readonly leaf?: boolean;
}

export interface NatsCluster {
  readonly nodes: readonly NatsNode[];
  /** Where clients connect: every node of the cluster, without the leaf. */
  readonly urls: readonly string[];
  readonly leaf: NatsNode | undefined;
  /** Between the leaf and the cluster. */
  readonly leafLink: TcpLink | undefined;
  /** The node that leads this stream; waits for an election that is under way. */
  streamLeader(stream: string): Promise<NatsNode>;
  /** Resolves when JetStream can be used on every node that runs, and the leaf is linked. */
  ready(): Promise<void>;
  /** Ends all of it and removes its folder. */
  stop(): Promise<void>;
}

const attemptsMax = 3;
const readyMsMax = 30_000;
const lookEveryMs = 50;

export async function startNatsCluster(options: NatsClusterOptions = {}): Promise<NatsCluster> {
  const { path, missing } = findNats();
  if (missing !== undefined) throw new Error(missing);
  for (let attempt = 1; ; attempt += 1) {
    const cluster = await OwnCluster.layOut(path, options);
    try {
      await cluster.start();
      return cluster;
    } catch (error) {
      await cluster.stop();
      // A port that was free a moment ago may be taken by the time the server binds it.
      if (attempt === attemptsMax || !/address already in use/.test(String(error))) throw error;
    }
  }
}

class OwnCluster implements NatsCluster {
  readonly nodes: readonly NatsNode[];
  readonly leaf: NatsNode | undefined;
  readonly leafLink: TcpLink | undefined;
  readonly #root: string;
  readonly #dismissWatchdog: () => void;

  static async layOut(program: string, { nodes = 3, leaf = false }: NatsClusterOptions): Promise<OwnCluster> {
    const root = mkdtempSync(join(realpathSync(tmpdir()), 'keyswarm-nats-'));
    const { dismiss } = startWatchdog(new URL('./watchdog.mjs', import.meta.url), root);
    const ports = await findFreePorts(nodes * 4 + 2);
    const portsOf = (node: number) => ports.slice(node * 4, node * 4 + 4);
    const routes = Array.from({ length: nodes }, (_, node) => `"nats://127.0.0.1:${portsOf(node)[2]}"`);
    const layout = (name: string, [clientPort = 0, monitorPort = 0]: readonly number[], settings: string) =>
      new NatsNode({ program, name, folder: join(root, name), clientPort, monitorPort, settings });
    const link = leaf ? await TcpLink.open(portsOf(0)[3] ?? 0) : undefined;
    const made = routes.map((_, node) => {
      const own = portsOf(node);
      return layout(`n${node + 1}`, own, hubSettings(own, nodes > 1 ? routes : [], link?.port));
    });
    if (link === undefined) return new OwnCluster(root, dismiss, { nodes: made });
    const settings = `leafnodes { reconnect: 1, remotes: [ { url: "nats://127.0.0.1:${link.port}" } ] }`;
    return new OwnCluster(root, dismiss, {
      nodes: made,
      leaf: layout('leaf', ports.slice(-2), settings),
      leafLink: link,
    });
  }

  private constructor(
    root: string,
    dismissWatchdog: () => void,
    parts: Pick<NatsCluster, 'nodes'> & Partial<Pick<NatsCluster, 'leaf' | 'leafLink'>>,
  ) {
    this.#root = root;
    this.#dismissWatchdog = dismissWatchdog;
    this.nodes = parts.nodes;
    this.leaf = parts.leaf;
    this.leafLink = parts.leafLink;
  }

  get urls(): readonly string[] {
    return this.nodes.map(({ url }) => url);
  }

  async start(): Promise<void> {
    const started = await Promise.allSettled(this.#all().map((node) => node.start()));
    for (const one of started) if (one.status === 'rejected') throw one.reason;
    await this.ready();
  }

  async ready(): Promise<void> {
    await this.#until('JetStream has no leader', async () => {
      const running = this.nodes.filter(({ isRunning }) => isRunning);
      if (this.nodes.length === 1) return running.every(({ isRunning }) => isRunning);
      const known = await Promise.all(running.map(({ monitorPort }) => knowsMetaLeader(monitorPort)));
      return known.every((knows) => knows);
    });
    const { leaf } = this;
    if (leaf?.isRunning) await this.#until('the leaf is not linked', () => isLinked(leaf.monitorPort));
  }

  async streamLeader(stream: string): Promise<NatsNode> {
    let leader: NatsNode | undefined;
    await this.#until(`stream ${stream} has no leader`, async () => {
      const running = this.nodes.filter(({ isRunning }) => isRunning);
      const seen = await Promise.all(running.map((node) => streamLeaderSeenBy(node.monitorPort, stream)));
      const name = seen.find((one) => one !== undefined && one !== '');
      leader = running.find((node) => node.name === name);
      return leader !== undefined;
    });
    if (leader === undefined) throw new Error(`stream ${stream} has no leader`);
    return leader;
  }

  async stop(): Promise<void> {
    for (const node of this.#all()) await node.signal('SIGCONT');
    await Promise.all(this.#all().map((node) => node.signal('SIGKILL')));
    await this.leafLink?.close();
    rmSync(this.#root, { recursive: true, force: true, maxRetries: 20, retryDelay: 50 });
    this.#dismissWatchdog();
  }

  #all(): readonly NatsNode[] {
    return this.leaf === undefined ? this.nodes : [...this.nodes, this.leaf];
  }

  async #until(what: string, isSo: () => Promise<boolean>): Promise<void> {
    const endMs = performance.now() + readyMsMax;
    while (!(await isSo())) {
      if (performance.now() > endMs) throw new Error(`${what} after ${readyMsMax} ms`);
      await sleep(lookEveryMs);
    }
  }
}

/** JetStream's domain in the cluster: by this name a leaf without a JetStream of its own reaches it. */
export const natsDomain = 'hub';

function hubSettings(
  ports: readonly number[],
  routes: readonly string[],
  leafLinkPort: number | undefined,
): string {
  const [, , clusterPort, leafPort] = ports;
  // Told of the other nodes, a leaf whose link is cut would go past it to one of them: they all name the link.
  const advertised = leafLinkPort === undefined ? '' : `, advertise: "127.0.0.1:${leafLinkPort}"`;
  return [
    `jetstream { store_dir: $STORE, max_mem: 64M, max_file: 8G, domain: ${natsDomain} }`,
    ...(routes.length === 0
      ? []
      : [`cluster { name: keyswarm, listen: "127.0.0.1:${clusterPort}", routes: [${routes.join(', ')}] }`]),
    `leafnodes { listen: "127.0.0.1:${leafPort}"${advertised} }`,
  ].join('\n');
}

async function isLinked(port: number): Promise<boolean> {
  const seen = (await monitorOf(port, '/leafz')) as { readonly leafnodes?: number } | undefined;
  return (seen?.leafnodes ?? 0) > 0;
}
