import { randomBytes } from 'node:crypto';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { mintKeyString } from '@keyswarm/core';
import { type FeedProxy, startFeedProxy, startTcpProxy, type TcpProxy } from '../faults/index.ts';
import { findNats, type NatsCluster, natsDomain, startNatsCluster } from '../nats/index.ts';
import { ask, type Reply } from '../plane/ask.ts';
import { Leftovers } from '../processes/leftovers.ts';
import { Balancer, findHaproxy } from './balancer.ts';
import { claimPorts } from './claim-ports.ts';
import { ClusterError } from './cluster-error.ts';
import {
  type ClusterPlan,
  type ClusterShape,
  linkName,
  planCluster,
  shortShape,
  wholeShape,
} from './cluster-plan.ts';
import { DatabasePair } from './database-pair.ts';
import { drainDelayMs } from './limits.ts';
import { Member, type MemberRole, type Variables } from './member.ts';

export interface ClusterOptions extends Partial<ClusterShape> {
  /** What is left out of the whole is what the short one leaves out. */
  readonly isShort?: boolean;
  /** Where logs and the management key lie, and stay. A temporary folder, removed at the end, when absent. */
  readonly dir?: string | undefined;
  /** The first of the ports; any that are free when absent. */
  readonly portsFrom?: number | undefined;
  /** For every server and node. */
  readonly env?: Variables;
  /** For one, by its name. */
  readonly envOf?: (member: string) => Variables;
  /** For `postgresql.conf` of both. */
  readonly databaseSettings?: Variables;
  /** The first node's data lies on a tmpfs of so many bytes, which can be filled: `database.disk`. 200 MB are enough. */
  readonly databaseDiskBytes?: number | undefined;
  /** Gives the start up; what has been started is ended. */
  readonly signal?: AbortSignal | undefined;
  /** What is being started. */
  readonly say?: (line: string) => void;
}

/** A wire between two of them. */
export interface Link {
  readonly name: string;
  readonly from: string;
  readonly to: string;
  readonly wire: TcpProxy;
  /** Behind the wire, where the shape has them and the feed goes this way. */
  readonly feed?: FeedProxy | undefined;
}

type Question = { readonly body?: unknown; readonly headers?: Variables; readonly timeoutMs?: number };

export class Cluster {
  readonly dir: string;
  readonly logDir: string;
  /** The bootstrap key: everything may be done with it. */
  readonly managementKey = mintKeyString('keyswarm', randomBytes);
  /** Of the nodes: it may read the feed and nothing else. */
  verifierKey = '';
  readonly servers: Member[] = [];
  relay: Member | undefined;
  readonly verifiers: Member[] = [];
  readonly links: Link[] = [];
  nats: NatsCluster | undefined;
  balancer: Balancer | undefined;
  readonly plan: ClusterPlan;
  readonly shape: ClusterShape;
  readonly leftovers = new Leftovers();
  readonly #options: ClusterOptions;
  readonly #masterKey = randomBytes(32).toString('base64');
  #database: DatabasePair | undefined;
  #ports: ReadonlyMap<string, number> = new Map();
  #stopping: Promise<void> | undefined;

  constructor(options: ClusterOptions) {
    this.#options = options;
    this.shape = shapeOf(options);
    this.plan = planCluster(this.shape);
    this.dir = options.dir === undefined ? this.leftovers.folder('keyswarm-cluster-') : resolve(options.dir);
    this.logDir = join(this.dir, 'logs');
  }

  get database(): DatabasePair {
    if (this.#database === undefined) throw new Error('the cluster is not up');
    return this.#database;
  }

  /** Where requests go that only servers answer. */
  get apiUrl(): string {
    return this.balancer?.serversUrl ?? this.server(0).url;
  }

  get members(): readonly Member[] {
    return [...this.servers, ...(this.relay === undefined ? [] : [this.relay]), ...this.verifiers];
  }

  server(at: number): Member {
    const server = this.servers[at];
    if (server === undefined) throw new Error(`there is no server ${at + 1}`);
    return server;
  }

  verifier(at: number): Member {
    const verifier = this.verifiers[at];
    if (verifier === undefined) throw new Error(`there is no verifier ${at + 1}`);
    return verifier;
  }

  /** All that leads from one of them, or from one to another. */
  linksOf(from: string, to?: string): readonly Link[] {
    return this.links.filter((link) => link.from === from && (to === undefined || link.to === to));
  }

  /** A request to the API as the holder of everything; what is not 200 or 201 is thrown. */
  async call(method: string, path: string, question: Question = {}): Promise<Reply> {
    const reply = await ask(this.apiUrl + path, { method, as: this.managementKey, ...question });
    if (reply.status === 200 || reply.status === 201) return reply;
    throw new Error(`${method} ${path}: ${reply.status} ${reply.text.slice(0, 300)}`);
  }

  async start(): Promise<void> {
    const { say = () => {}, signal } = this.#options;
    mkdirSync(this.logDir, { recursive: true, mode: 0o700 });
    writeFileSync(this.managementKeyPath, `${this.managementKey}\n`, { mode: 0o600 });
    this.#findPrograms();
    const ports = await claimPorts(this.plan.listeners.length, this.#options.portsFrom);
    this.#ports = new Map(this.plan.listeners.map((name, at) => [name, ports[at] ?? 0]));
    say(this.shape.hasStandby ? 'PostgreSQL, a primary and its standby' : 'PostgreSQL');
    this.#database = await DatabasePair.start({
      ports: [this.#port('postgres-1'), this.#port('postgres-2')],
      leftovers: this.leftovers,
      hasStandby: this.shape.hasStandby,
      settings: this.#options.databaseSettings ?? {},
      diskBytes: this.#options.databaseDiskBytes,
    });
    signal?.throwIfAborted();
    if (this.shape.hasNats) {
      say('NATS, three nodes and a leaf');
      this.nats = await startNatsCluster({ leaf: true });
      signal?.throwIfAborted();
    }
    say(`${this.shape.servers} × server, ${this.shape.workers} × worker each`);
    for (const name of this.plan.servers) this.servers.push(await this.#layServer(name));
    // The first one alone: it makes the schema and installs the key.
    for (const server of this.servers) await server.start();
    this.verifierKey = await this.#mintVerifierKey();
    say(`${this.plan.relay === undefined ? '' : 'a relay, '}${this.shape.verifiers} × verifier`);
    if (this.plan.relay !== undefined) this.relay = await this.#layNode(this.plan.relay, 'relay');
    for (const name of this.plan.verifiers) this.verifiers.push(await this.#layNode(name, 'verifier'));
    const nodes = [...(this.relay === undefined ? [] : [this.relay]), ...this.verifiers];
    await Promise.all(nodes.map((node) => node.start()));
    if (this.shape.hasBalancer) await this.#startBalancer();
  }

  get managementKeyPath(): string {
    return join(this.dir, 'management-key');
  }

  /** Ends all of it, in the order in which nobody misses anybody. Safe to call at any time, and again. */
  stop(): Promise<void> {
    this.#stopping ??= this.#stop();
    return this.#stopping;
  }

  async #stop(): Promise<void> {
    for (const { wire, feed } of this.links) {
      wire.heal();
      feed?.heal();
    }
    await this.balancer?.stop();
    await Promise.all(
      [...this.verifiers, ...(this.relay === undefined ? [] : [this.relay])].map((node) => node.stop()),
    );
    await Promise.all(this.servers.map((server) => server.stop()));
    await this.nats?.stop();
    await Promise.all(this.links.flatMap(({ wire, feed }) => [wire.close(), feed?.close()]));
    await this.#database?.stop();
    if (this.#options.dir === undefined) this.leftovers.removeFolder(this.dir);
    this.leftovers.done();
  }

  /** Said before anything is started, all at once. */
  #findPrograms(): void {
    const { hasBalancer, hasNats } = this.shape;
    const wanted = [...(hasBalancer ? [findHaproxy] : []), ...(hasNats ? [findNats] : [])];
    const missing = wanted.map((find) => find().missing).filter((text) => text !== undefined);
    if (missing.length > 0) throw new ClusterError(`${missing.join('\n')}\nWithout them: --short`);
  }

  async #layServer(name: string): Promise<Member> {
    const database = linkName({ from: name, to: 'database' });
    const { wire, url } = await this.database.openWire(this.#port(database));
    this.links.push({ name: database, from: name, to: 'database', wire });
    return this.#layMember(name, 'server', {
      KEYSWARM_PROFILE: 'cluster',
      KEYSWARM_WORKERS: String(this.shape.workers),
      KEYSWARM_DATA_DIR: join(this.dir, name),
      KEYSWARM_BOOTSTRAP_KEY: this.managementKey,
      KEYSWARM_DATABASE_URL: url,
      KEYSWARM_MASTER_KEY: this.#masterKey,
      KEYSWARM_DRAIN_DELAY_MS: String(drainDelayMs),
      ...(this.nats === undefined ? {} : { KEYSWARM_NATS_SERVERS: this.nats.urls.join(',') }),
    });
  }

  async #layNode(name: string, role: 'relay' | 'verifier'): Promise<Member> {
    const wires: TcpProxy[] = [];
    for (const plan of this.plan.links.filter(({ from }) => from === name)) {
      const target = this.#port(plan.to);
      const feed = this.shape.hasFeedProxies ? await startFeedProxy({ port: target }) : undefined;
      const wire = await startTcpProxy({
        port: feed?.port ?? target,
        listenPort: this.#port(linkName(plan)),
      });
      this.links.push({ ...plan, name: linkName(plan), wire, feed });
      wires.push(wire);
    }
    return this.#layMember(name, role, {
      KEYSWARM_RELAYS: wires.map(({ url }) => url).join(','),
      KEYSWARM_VERIFIER_KEY: this.verifierKey,
      KEYSWARM_NAME: name,
      KEYSWARM_DRAIN_DELAY_MS: String(drainDelayMs),
      ...(role === 'relay' ? { KEYSWARM_SERVE_FEED: 'true' } : {}),
      ...this.#brokerOf(name),
    });
  }

  #layMember(name: string, role: MemberRole, env: Variables): Member {
    return new Member({
      name,
      role,
      port: this.#port(name),
      args: [role === 'server' ? 'start' : 'verifier'],
      env: {
        ...env,
        KEYSWARM_PORT: String(this.#port(name)),
        ...this.#options.env,
        ...this.#options.envOf?.(name),
      },
      logPath: join(this.logDir, `${name}.log`),
      leftovers: this.leftovers,
      signal: this.#options.signal,
    });
  }

  /** The region reaches the brokers by the leaf, which has no JetStream of its own. */
  #brokerOf(name: string): Variables {
    if (this.nats === undefined) return {};
    const isRegional = name === this.plan.relay || this.plan.regional.has(name);
    const leaf = isRegional ? this.nats.leaf : undefined;
    if (leaf === undefined) return { KEYSWARM_NATS_SERVERS: this.nats.urls.join(',') };
    return { KEYSWARM_NATS_SERVERS: leaf.url, KEYSWARM_NATS_DOMAIN: natsDomain };
  }

  async #startBalancer(): Promise<void> {
    this.balancer = new Balancer({
      folder: this.dir,
      logPath: join(this.logDir, 'haproxy.log'),
      ports: {
        servers: this.#port('balancer servers'),
        verifiers: this.#port('balancer verifiers'),
        state: this.#port('balancer state'),
      },
      servers: this.servers,
      verifiers: this.verifiers,
      leftovers: this.leftovers,
    });
    await this.balancer.start();
  }

  async #mintVerifierKey(): Promise<string> {
    const { body } = await this.call('POST', '/v1/keys', {
      body: {
        keyspace: 'keyswarm',
        owner: { kind: 'service', external_id: 'verifiers' },
        scopes: ['feed:read', 'feed:read:keyswarm'],
      },
    });
    return String(body.secret);
  }

  #port(listener: string): number {
    const port = this.#ports.get(listener);
    if (port === undefined) throw new Error(`${listener} has no port`);
    return port;
  }
}

function shapeOf({ isShort = false, ...wished }: ClusterOptions): ClusterShape {
  const base = isShort ? shortShape : wholeShape;
  return {
    servers: wished.servers ?? base.servers,
    workers: wished.workers ?? base.workers,
    verifiers: wished.verifiers ?? base.verifiers,
    hasRelay: wished.hasRelay ?? base.hasRelay,
    hasStandby: wished.hasStandby ?? base.hasStandby,
    hasNats: wished.hasNats ?? base.hasNats,
    hasBalancer: wished.hasBalancer ?? base.hasBalancer,
    hasFeedProxies: wished.hasFeedProxies ?? base.hasFeedProxies,
  };
}
