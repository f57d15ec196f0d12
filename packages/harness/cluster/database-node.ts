import { execFile } from 'node:child_process';
import { chownSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';
import { Client } from 'pg';
import { waitUntilReady } from '../postgres/administer.ts';
import type { ServerLayout } from '../postgres/lay-out-server.ts';
import { initCluster, type ServerProcess, spawnServer, superuser } from '../postgres/run-server.ts';
import type { RunUser } from '../postgres/run-user.ts';
import type { StopMode } from '../postgres/start-postgres.ts';
import type { Leftovers } from '../processes/leftovers.ts';
import { isAlive, sendSignal, treeOf } from '../processes/process-tree.ts';
import { copyDataDir } from './copy-data-dir.ts';
import { endMsMax, lookEveryMs, promoteMsMax, walKeptMb } from './limits.ts';

export interface DatabaseNodeOptions {
  /** What it is called in the table, and by the other one: `application_name` of a standby. */
  readonly name: string;
  readonly layout: ServerLayout;
  readonly user: RunUser | undefined;
  readonly password: string;
  readonly port: number;
  readonly leftovers: Leftovers;
  readonly settings: Readonly<Record<string, string>>;
}

const stopSignals: Readonly<Record<StopMode, NodeJS.Signals>> = {
  smart: 'SIGTERM',
  fast: 'SIGINT',
  immediate: 'SIGQUIT',
};
const run = promisify(execFile);

/** One PostgreSQL of a pair: it keeps its port and its folder through restarts, and may be of either role. */
export class DatabaseNode {
  readonly name: string;
  readonly port: number;
  readonly #options: DatabaseNodeOptions;
  #server: ServerProcess | undefined;

  constructor(options: DatabaseNodeOptions) {
    this.name = options.name;
    this.port = options.port;
    this.#options = options;
  }

  /** Of the database `postgres`, as superuser, past every wire. */
  get url(): string {
    return `postgres://${superuser}:${this.#options.password}@127.0.0.1:${this.port}/postgres`;
  }

  /** Of the postmaster. */
  get pid(): number | undefined {
    return this.#server?.child.pid;
  }

  get dataDir(): string {
    return this.#options.layout.dataDir;
  }

  get logPath(): string {
    return join(this.#options.layout.runDir, 'log');
  }

  init(): void {
    this.#makeFolders();
    initCluster(this.#options.layout, this.#options.user, this.#options.password);
  }

  /**
   * Takes over what lies in `source`, the folder of a server that is stopped, or of a live one that was told that a
   * backup is taken; and will be a standby of whom it finds at `port`.
   */
  async becomeStandby(
    source: string,
    { port, isLive }: { readonly port: number; readonly isLive: boolean },
  ): Promise<void> {
    const { user, password, layout } = this.#options;
    this.#makeFolders();
    // What is in it, and not the folder itself: a disk may be mounted there.
    for (const entry of readdirSync(layout.dataDir))
      rmSync(join(layout.dataDir, entry), { recursive: true, force: true });
    await copyDataDir(source, layout.dataDir, { isLive });
    // Whom the other one waits for is its own affair: once promoted, this one is alone and waits for nobody.
    const primary = `host=127.0.0.1 port=${port} user=${superuser} password=${password} application_name=${this.name} connect_timeout=2`;
    this.#write('postgresql.auto.conf', `primary_conninfo = '${primary}'\n`);
    this.#write('standby.signal', '');
    if (user !== undefined) await run('chown', ['-R', `${user.uid}:${user.gid}`, layout.dataDir]);
  }

  /** Where a backup of a live server begins and ends, as that one said. */
  writeLabel(text: string): void {
    this.#write('backup_label', text);
  }

  async start(): Promise<void> {
    if (this.#server !== undefined) return;
    const { layout, user, leftovers, settings } = this.#options;
    const server = spawnServer(layout, user, {
      listen_addresses: '127.0.0.1',
      port: String(this.port),
      unix_socket_directories: layout.runDir,
      max_connections: '200',
      logging_collector: 'off',
      wal_level: 'replica',
      // Acknowledged is what lies on the disks of both. Nobody reads from the standby, so it need not be applied there.
      synchronous_commit: 'on',
      wal_keep_size: `${walKeptMb}MB`,
      wal_receiver_status_interval: '1s',
      wal_retrieve_retry_interval: '200ms',
      ...settings,
    });
    this.#server = server;
    const { pid } = server.child;
    if (pid !== undefined) leftovers.add('postmaster', pid);
    void server.exited.then(() => {
      if (pid !== undefined) leftovers.gone('postmaster', pid);
      if (this.#server === server) this.#server = undefined;
    });
    const died = server.exited.then(() => new Error(`PostgreSQL did not start: ${server.readLog()}`));
    const failure = await Promise.race([waitUntilReady(this.url), died]);
    if (failure === undefined) return;
    await this.stop('immediate');
    throw new Error(`${this.name}: ${failure.message}`);
  }

  async stop(mode: StopMode = 'fast'): Promise<void> {
    const server = this.#server;
    if (server === undefined) return;
    this.signal('SIGCONT');
    server.child.kill(stopSignals[mode]);
    const patience = new AbortController();
    const late = sleep(endMsMax, undefined, { signal: patience.signal }).then(
      () => this.fence(),
      () => undefined,
    );
    await server.exited;
    patience.abort();
    await late;
  }

  /** To the postmaster and all its children: with SIGSTOP the whole server stands still. */
  signal(name: NodeJS.Signals): void {
    if (this.pid !== undefined) for (const pid of treeOf(this.pid)) sendSignal(pid, name);
  }

  /**
   * SIGKILL to every process of it, one that stands still too, and the wait until none is there: after that no
   * transaction can commit here, and no read can be answered.
   */
  async fence(): Promise<void> {
    const server = this.#server;
    if (server?.child.pid === undefined) return;
    const segment = this.#sharedMemoryId();
    // The parent first, so that no child is born after the list was made.
    sendSignal(server.child.pid, 'SIGSTOP');
    const pids = treeOf(server.child.pid);
    for (const pid of pids) sendSignal(pid, 'SIGKILL');
    await server.exited;
    while (pids.some(isAlive)) await sleep(lookEveryMs);
    // A crash leaves the few bytes behind by which PostgreSQL sees that it runs twice. All who had them are gone.
    if (segment !== undefined) await run('ipcrm', ['-m', segment]).catch(() => undefined);
  }

  /** Resolves when it takes writes. */
  async promote(): Promise<void> {
    const { layout, user } = this.#options;
    await run(
      join(layout.bin, 'pg_ctl'),
      ['promote', '-D', layout.dataDir, '-w', '-t', String(promoteMsMax / 1000)],
      { ...user, cwd: layout.root, env: { PATH: '/usr/bin:/bin', LC_ALL: 'C' } },
    );
  }

  async query(text: string, values: readonly unknown[] = []): Promise<Record<string, unknown>[]> {
    const client = new Client({ connectionString: this.url, connectionTimeoutMillis: 5_000 });
    client.on('error', () => undefined);
    try {
      await client.connect();
      const { rows } = await client.query(text, [...values]);
      return rows as Record<string, unknown>[];
    } finally {
      await client.end().catch(() => undefined);
    }
  }

  #write(file: string, text: string): void {
    const { layout, user } = this.#options;
    const path = join(layout.dataDir, file);
    writeFileSync(path, text, { mode: 0o600 });
    if (user !== undefined) chownSync(path, user.uid, user.gid);
  }

  #makeFolders(): void {
    const { layout, user } = this.#options;
    for (const folder of [layout.dataDir, layout.runDir]) {
      mkdirSync(folder, { recursive: true, mode: 0o700 });
      if (user !== undefined) chownSync(folder, user.uid, user.gid);
    }
  }

  /** The seventh line of the file that says that it runs: key and id of its shared memory. */
  #sharedMemoryId(): string | undefined {
    try {
      const line = readFileSync(join(this.dataDir, 'postmaster.pid'), 'utf8').split('\n')[6];
      return line?.trim().split(/\s+/)[1];
    } catch {
      return undefined;
    }
  }
}
