import { randomBytes } from 'node:crypto';
import { mkdtempSync, realpathSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { startWatchdog } from '../processes/start-watchdog.ts';
import { createDatabaseOn, dropDatabaseOn, waitUntilReady } from './administer.ts';
import { layOutServer, layoutBelow, type ServerLayout } from './lay-out-server.ts';
import { initCluster, type ServerProcess, spawnServer, superuser } from './run-server.ts';
import { chooseRunUser, type RunUser } from './run-user.ts';

/*
 * A real PostgreSQL for tests, benchmarks and fault scenarios, with nothing to install: the binaries come from
 * npm, the data lives below the system's temporary folder, the port is a free one of 127.0.0.1, the password is
 * random. Or the server that KEYSWARM_DATABASE_URL names, in which only databases are made and dropped.
 *
 * One server a test file, one database a test:
 *
 *   const postgres = await startPostgres();
 *   afterAll(() => postgres.stop());
 *   const store = createPostgresStore({ url: await postgres.createDatabase() });
 *
 * Nothing is left behind. `stop` ends the server and removes its folder; if this process dies first, even by
 * SIGKILL, a watchdog at the other end of a pipe does it.
 */

/** PostgreSQL's own: wait for clients, send them away, or die as in a crash. */
export type StopMode = 'smart' | 'fast' | 'immediate';

export interface StartPostgresOptions {
  /** For `postgresql.conf`. A server of its own is started when any is given. */
  readonly settings?: Readonly<Record<string, string>>;
  /** True: a server of its own even when KEYSWARM_DATABASE_URL is set, because the test stops or kills it. */
  readonly own?: boolean;
}

export interface Postgres {
  /** Of the database `postgres`, as superuser. */
  readonly url: string;
  readonly port: number;
  /** Of the postmaster; undefined for a server that KEYSWARM_DATABASE_URL names, and while stopped. */
  readonly pid: number | undefined;
  readonly dataDir: string | undefined;
  /** An empty database; a random name when none is given. */
  createDatabase(name?: string): Promise<string>;
  /** Stops the server and keeps its data, to be started again on the same port. `immediate` is a crash. */
  halt(mode?: StopMode): Promise<void>;
  /** Starts a halted server again, and waits until it answers. */
  resume(): Promise<void>;
  /** Stops it for good and removes everything. */
  stop(mode?: StopMode): Promise<void>;
}

const portAttemptsMax = 5;
const signals: Readonly<Record<StopMode, NodeJS.Signals>> = {
  smart: 'SIGTERM',
  fast: 'SIGINT',
  immediate: 'SIGQUIT',
};
/** Past this a stop is no longer asked for but taken. */
const stopPatienceMs = 20_000;

export async function startPostgres(options: StartPostgresOptions = {}): Promise<Postgres> {
  const external = process.env.KEYSWARM_DATABASE_URL;
  const wantsOwn = options.own === true || Object.keys(options.settings ?? {}).length > 0;
  return external !== undefined && external !== '' && !wantsOwn
    ? useExternal(external)
    : OwnPostgres.start(options.settings ?? {});
}

class OwnPostgres implements Postgres {
  readonly #layout: ServerLayout;
  readonly #user: RunUser | undefined;
  readonly #password: string;
  readonly #settings: Readonly<Record<string, string>>;
  readonly #dismissWatchdog: () => void;
  #server: ServerProcess | undefined;
  port = 0;

  static async start(settings: Readonly<Record<string, string>>): Promise<OwnPostgres> {
    const postgres = new OwnPostgres(settings);
    try {
      layOutServer(postgres.#layout, postgres.#user);
      initCluster(postgres.#layout, postgres.#user, postgres.#password);
      await postgres.#startOnFreePort();
      return postgres;
    } catch (error) {
      await postgres.stop('immediate');
      throw error;
    }
  }

  private constructor(settings: Readonly<Record<string, string>>) {
    this.#settings = settings;
    this.#password = randomBytes(18).toString('base64url');
    this.#user = chooseRunUser();
    const root = mkdtempSync(join(realpathSync(tmpdir()), 'keyswarm-postgres-'));
    this.#dismissWatchdog = startWatchdog(new URL('./watchdog.mjs', import.meta.url), root).dismiss;
    this.#layout = layoutBelow(root);
  }

  get url(): string {
    return `postgres://${superuser}:${this.#password}@127.0.0.1:${this.port}/postgres`;
  }

  get pid(): number | undefined {
    return this.#server?.child.pid;
  }

  get dataDir(): string {
    return this.#layout.dataDir;
  }

  createDatabase(name?: string): Promise<string> {
    return createDatabaseOn(this.url, name);
  }

  async halt(mode: StopMode = 'fast'): Promise<void> {
    const server = this.#server;
    if (server === undefined) return;
    server.child.kill(signals[mode]);
    const patience = new AbortController();
    const timer = sleep(stopPatienceMs, 'late', { signal: patience.signal, ref: false }).catch(() => 'early');
    const outcome = await Promise.race([server.exited, timer]);
    patience.abort();
    if (outcome === 'late') server.child.kill('SIGKILL');
    await server.exited;
    this.#server = undefined;
  }

  async resume(): Promise<void> {
    if (this.#server !== undefined) return;
    const failure = await this.#tryStart();
    if (failure !== undefined) throw failure;
  }

  async stop(mode: StopMode = 'fast'): Promise<void> {
    await this.halt(mode);
    rmSync(this.#layout.root, { recursive: true, force: true, maxRetries: 20, retryDelay: 50 });
    this.#dismissWatchdog();
  }

  /** A port that was free a moment ago may be taken by the time the server binds it. */
  async #startOnFreePort(): Promise<void> {
    for (let attempt = 1; ; attempt += 1) {
      this.port = await findFreePort();
      const failure = await this.#tryStart();
      if (failure === undefined) return;
      if (attempt === portAttemptsMax || !/could not bind/.test(failure.message)) throw failure;
    }
  }

  async #tryStart(): Promise<Error | undefined> {
    const server = spawnServer(this.#layout, this.#user, {
      listen_addresses: '127.0.0.1',
      port: String(this.port),
      unix_socket_directories: this.#layout.runDir,
      max_connections: '200',
      logging_collector: 'off',
      ...this.#settings,
    });
    this.#server = server;
    const died = server.exited.then(() => new Error(`PostgreSQL did not start: ${server.readLog()}`));
    const failure = await Promise.race([waitUntilReady(this.url), died]);
    if (failure !== undefined) await this.halt('immediate');
    return failure;
  }
}

function findFreePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.once('error', reject);
    server.listen(0, '127.0.0.1', () => {
      const address = server.address();
      server.close(() => {
        if (address !== null && typeof address === 'object') resolve(address.port);
        else reject(new Error('no port was given'));
      });
    });
  });
}

function useExternal(url: string): Postgres {
  const made: string[] = [];
  const refuse = () =>
    Promise.reject(new Error('A server named by KEYSWARM_DATABASE_URL is not ours to stop.'));
  return {
    url,
    port: Number(new URL(url).port || 5432),
    pid: undefined,
    dataDir: undefined,
    async createDatabase(name) {
      const databaseUrl = await createDatabaseOn(url, name);
      made.push(databaseUrl);
      return databaseUrl;
    },
    halt: refuse,
    resume: refuse,
    async stop() {
      for (const databaseUrl of made.splice(0)) await dropDatabaseOn(url, databaseUrl);
    },
  };
}
