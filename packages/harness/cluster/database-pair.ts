import { randomBytes } from 'node:crypto';
import { chownSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { Client } from 'pg';
import { mountSmallDisk, type SmallDisk, startTcpProxy, type TcpProxy } from '../faults/index.ts';
import { createDatabaseOn } from '../postgres/administer.ts';
import { layOutServer, layoutBelow, type ServerLayout } from '../postgres/lay-out-server.ts';
import { chooseRunUser } from '../postgres/run-user.ts';
import type { Leftovers } from '../processes/leftovers.ts';
import { DatabaseNode } from './database-node.ts';
import { lookEveryMs, syncMsMax } from './limits.ts';
import { monotonicMs } from './monotonic.ts';
import { PrimaryWatch } from './primary-watch.ts';

/*
 * A primary and a synchronous standby, and who takes over when the primary is gone.
 *
 *   watched     the primary is asked four times a second. Three failures in a row and it is given up.
 *   fenced      every wire that leads to it is cut, then every process of it is killed. Only then
 *   promoted    the standby takes writes, and the wires lead to it.
 *
 * The order is what the bound of revocation rests on: an old primary that still answers reads would tell verifiers that
 * they are fresh. The one who decides is this process, which can kill both and holds all wires, so there is no
 * election to be lost; a real deployment has no such place and needs a consensus store (decision 25).
 *
 * A commit waits for the disk of the standby, so what was acknowledged is there after a promotion. When the standby is
 * away commits wait, and none is acknowledged: durability is not traded for availability here. Nor is a standby
 * promoted that was not in step when it was last seen. After a promotion there is one copy, until `rejoin`.
 */

export interface Failover {
  readonly from: string;
  readonly to: string;
  /** Of CLOCK_MONOTONIC, as everything here. Undefined where somebody asked for it. */
  readonly suspectedAtMs: number | undefined;
  readonly fencedAtMs: number;
  readonly promotedAtMs: number;
}

export interface DatabasePairOptions {
  readonly ports: readonly [number, number];
  readonly leftovers: Leftovers;
  readonly hasStandby: boolean;
  readonly settings?: Readonly<Record<string, string>>;
  /** The first node's data lies on a tmpfs of this size. */
  readonly diskBytes?: number | undefined;
}

const databaseName = 'keyswarm';
const smallLog = { wal_keep_size: '16MB', min_wal_size: '32MB', max_wal_size: '48MB' };

export class DatabasePair {
  /** Both, whatever their role is now. */
  readonly nodes: readonly DatabaseNode[];
  /** Every promotion so far. */
  readonly failovers: Failover[] = [];
  /** False: nobody takes over until `failOver` is called. */
  isAutomatic = true;
  readonly #root: string;
  readonly #leftovers: Leftovers;
  readonly #wires: TcpProxy[] = [];
  readonly #watch: PrimaryWatch;
  /** What the first node's data lies on, where a size was asked for. */
  readonly disk: SmallDisk | undefined;
  #primary: DatabaseNode;
  #standby: DatabaseNode | undefined;
  /** Between the standby and the primary. */
  #replication: TcpProxy | undefined;
  #isInStep = false;
  #turning: Promise<Failover> | undefined;
  #next = Promise.withResolvers<Failover>();

  static async start(options: DatabasePairOptions): Promise<DatabasePair> {
    const pair = new DatabasePair(options);
    try {
      await pair.#start(options.hasStandby);
      return pair;
    } catch (error) {
      await pair.stop();
      throw error;
    }
  }

  private constructor({ ports, leftovers, settings = {}, diskBytes }: DatabasePairOptions) {
    const user = chooseRunUser();
    const password = randomBytes(18).toString('base64url');
    this.#leftovers = leftovers;
    // Away from the rest: the server's user has to get there, and sees nothing else.
    this.#root = leftovers.folder('keyswarm-cluster-db-');
    if (user !== undefined) chownSync(this.#root, user.uid, user.gid);
    const first = layoutBelow(this.#root);
    layOutServer(first, user);
    const second: ServerLayout = {
      ...first,
      dataDir: join(this.#root, 'data-2'),
      runDir: join(this.#root, 'run-2'),
    };
    this.disk =
      diskBytes === undefined
        ? undefined
        : mountSmallDisk(first.dataDir, { bytes: diskBytes, leftovers, owner: user });
    // What is kept of the log must not fill a small disk by itself.
    const kept = diskBytes === undefined ? {} : smallLog;
    const node = (name: string, layout: ServerLayout, port: number): DatabaseNode =>
      new DatabaseNode({
        name,
        layout,
        port,
        user,
        password,
        leftovers,
        settings: { ...kept, ...settings },
      });
    const [one, two] = [node('postgres-1', first, ports[0]), node('postgres-2', second, ports[1])];
    this.nodes = [one, two];
    this.#primary = one;
    this.#standby = two;
    this.#watch = new PrimaryWatch({
      target: () => this.#primary,
      onSeen: (isInStep) => {
        this.#isInStep = isInStep;
      },
      onLost: (suspectedAtMs) => this.#takeOver(suspectedAtMs),
    });
  }

  get primary(): DatabaseNode {
    return this.#primary;
  }

  get standby(): DatabaseNode | undefined {
    return this.#standby;
  }

  /** From the standby to the primary: a hold here holds every commit. */
  get replication(): TcpProxy | undefined {
    return this.#replication;
  }

  /** Was the standby streaming and waited for when the primary was last asked? */
  get isInStep(): boolean {
    return this.#isInStep;
  }

  /** Of the servers' database, past every wire, at whoever is primary now. */
  get url(): string {
    return databaseOf(this.#primary.url);
  }

  /** A wire of its own to whoever is primary: it only ever leads to one that is not fenced. */
  async openWire(listenPort?: number): Promise<{ readonly wire: TcpProxy; readonly url: string }> {
    const wire = await startTcpProxy({ port: this.#primary.port, listenPort });
    this.#wires.push(wire);
    const url = new URL(this.url);
    url.port = String(wire.port);
    return { wire, url: url.href };
  }

  /** Gives the primary up now, without waiting for the watch. */
  failOver(): Promise<Failover> {
    return this.#begin(undefined);
  }

  /** The next promotion, whoever asks for it. Rejects when it fails: then there is no primary. */
  nextFailover(): Promise<Failover> {
    return this.#next.promise;
  }

  /** Starts a primary again that was stopped or crashed and has not been given up. */
  async restartPrimary(): Promise<void> {
    await this.#primary.start();
  }

  /** Makes the node that is out a standby of the one that is primary, from a copy of all it has. Then commits wait for it. */
  async rejoin(): Promise<void> {
    const node = this.nodes.find((one) => one !== this.#primary);
    if (node === undefined || this.#standby !== undefined) return;
    await node.fence();
    await this.#copyLive(node);
    await this.#streaming(node);
    this.#standby = node;
  }

  async stop(): Promise<void> {
    this.#watch.stop();
    await this.#turning?.catch(() => undefined);
    for (const wire of [...this.#wires, this.#replication]) await wire?.close();
    await Promise.all(this.nodes.map((node) => node.stop('immediate')));
    this.disk?.unmount();
    this.#leftovers.removeFolder(this.#root);
  }

  async #start(hasStandby: boolean): Promise<void> {
    const [first, second] = [this.#primary, this.#standby];
    first.init();
    if (hasStandby && second !== undefined) {
      await this.#openReplication();
      await second.becomeStandby(first.dataDir, { port: this.#replication?.port ?? 0, isLive: false });
      await first.start();
      await this.#streaming(second);
    } else {
      this.#standby = undefined;
      await first.start();
    }
    await createDatabaseOn(first.url, databaseName);
    this.#watch.start();
  }

  async #openReplication(): Promise<void> {
    const { port } = this.#primary;
    if (this.#replication === undefined) this.#replication = await startTcpProxy({ port });
    else this.#replication.retarget(port);
    this.#replication.heal();
  }

  /** A copy of a server that goes on meanwhile: it is told before and after, by one and the same session. */
  async #copyLive(node: DatabaseNode): Promise<void> {
    const client = new Client({ connectionString: this.#primary.url });
    client.on('error', () => undefined);
    await client.connect();
    try {
      await client.query(`select pg_backup_start('rejoin', true)`);
      await this.#openReplication();
      const port = this.#replication?.port ?? 0;
      await node.becomeStandby(this.#primary.dataDir, { port, isLive: true });
      const { rows } = await client.query('select labelfile from pg_backup_stop(false)');
      node.writeLabel(String((rows[0] as { labelfile?: unknown } | undefined)?.labelfile));
    } finally {
      await client.end();
    }
  }

  /** Starts it, and has commits wait for it once it has caught up. */
  async #streaming(standby: DatabaseNode): Promise<void> {
    await standby.start();
    const until = monotonicMs() + syncMsMax;
    const seen = `select state from pg_stat_replication where application_name = $1`;
    while ((await this.#primary.query(seen, [standby.name]))[0]?.state !== 'streaming') {
      if (monotonicMs() > until) throw new Error(`${standby.name} does not stream`);
      await sleep(lookEveryMs);
    }
    await this.#primary.query(`alter system set synchronous_standby_names = '"${standby.name}"'`);
    await this.#primary.query('select pg_reload_conf()');
    while (!(await this.#watch.look())) {
      if (monotonicMs() > until) throw new Error(`${standby.name} is not waited for`);
      await sleep(lookEveryMs);
    }
  }

  #takeOver(suspectedAtMs: number): void {
    if (!this.isAutomatic || this.#standby === undefined || !this.#isInStep) return;
    // Who waits for it hears of a failure from `nextFailover`.
    this.#begin(suspectedAtMs).catch(() => undefined);
  }

  /** One at a time: who asks while one is under way gets that one. */
  #begin(suspectedAtMs: number | undefined): Promise<Failover> {
    if (this.#turning !== undefined) return this.#turning;
    const next = this.#next;
    next.promise.catch(() => undefined);
    this.#turning = this.#turn(suspectedAtMs);
    this.#turning.then(next.resolve, next.reject).finally(() => {
      this.#turning = undefined;
      this.#next = Promise.withResolvers<Failover>();
    });
    return this.#turning;
  }

  async #turn(suspectedAtMs: number | undefined): Promise<Failover> {
    const [old, standby] = [this.#primary, this.#standby];
    if (standby === undefined) throw new Error(`${old.name} has no standby that could take over`);
    if (!this.#isInStep) throw new Error(`${standby.name} was not in step when ${old.name} was last seen`);
    for (const wire of this.#wires) {
      wire.set({ ...wire.fault, refuse: true });
      wire.reset();
    }
    await old.fence();
    const fencedAtMs = monotonicMs();
    await standby.promote();
    this.#primary = standby;
    this.#standby = undefined;
    this.#isInStep = false;
    const failover = {
      from: old.name,
      to: standby.name,
      suspectedAtMs,
      fencedAtMs,
      promotedAtMs: monotonicMs(),
    };
    for (const wire of this.#wires) {
      wire.retarget(standby.port);
      wire.set({ ...wire.fault, refuse: false });
    }
    this.failovers.push(failover);
    return failover;
  }
}

function databaseOf(url: string): string {
  const database = new URL(url);
  database.pathname = `/${databaseName}`;
  return database.href;
}
