import { type Random, unitInterval } from '@keyswarm/verifier/random';
import type { Timers } from '@keyswarm/verifier/timers';
import { connect, type NatsConnection } from '@nats-io/transport-node';
import { connectPauseMsMax, connectPauseMsMin, greetMsMax, pingMs } from './limits.ts';
import { natsAddress } from './nats-settings.ts';

/*
 * One connection to a broker of several servers, for as long as the process lives:
 *
 *   connecting → connected ⇄ away → closed
 *
 * The client library moves between servers by itself once it was connected; before that, and when it has given up
 * (after refused credentials), a new connection is begun after a pause. Nothing here throws for a broker that is
 * not there: what is built on a link does without it in the meantime, and is told when it is back.
 *
 * While away nothing is handed to the library, which would keep it without bound until it is back.
 */

export interface NatsLinkOptions {
  /** `nats://host:port`, a list or several with commas between them. */
  readonly servers: string | readonly string[];
  /** The text of a `.creds` file. */
  readonly credentials?: string | undefined;
  /** Try the servers as they are listed, the nearest first; else at random, which spreads many clients. */
  readonly keepOrder?: boolean | undefined;
  /** Go to no other server than these, though the broker names more of its own. */
  readonly isAlone?: boolean | undefined;
  /** Shown by the broker's monitoring. */
  readonly name: string;
  readonly timers: Timers;
  readonly random: Random;
  /** Told of every change. Must not throw. */
  readonly onState?: (state: NatsLinkState) => void;
}

export type NatsLinkState =
  | { readonly kind: 'connecting' }
  | { readonly kind: 'connected'; readonly server: string }
  | { readonly kind: 'away'; readonly error: unknown }
  | { readonly kind: 'closed' };

/** Called at each connection, a renewed one too; what it subscribed to before still stands when `isSame`. */
export type ConnectedHook = (connection: NatsConnection, isSame: boolean) => void;

export class NatsLink {
  readonly #options: NatsLinkOptions;
  readonly #address: ReturnType<typeof natsAddress>;
  readonly #hooks = new Set<ConnectedHook>();
  readonly #stop = new AbortController();
  #connection: NatsConnection | undefined;
  #state: NatsLinkState = { kind: 'connecting' };
  #ended: Promise<void> = Promise.resolve();

  /** @throws {TypeError} for addresses or credentials that can't be used. */
  constructor(options: NatsLinkOptions) {
    this.#options = options;
    this.#address = natsAddress(options.servers, options.credentials);
    this.#ended = this.#run();
  }

  get state(): NatsLinkState {
    return this.#state;
  }

  /** Undefined while there is none that can be spoken to. */
  get connection(): NatsConnection | undefined {
    return this.#state.kind === 'connected' ? this.#connection : undefined;
  }

  /** Calls it now, when connected, and at each connection to come. Returns what ends that. */
  onConnected(hook: ConnectedHook): () => void {
    this.#hooks.add(hook);
    const { connection } = this;
    if (connection !== undefined) hook(connection, false);
    return () => this.#hooks.delete(hook);
  }

  /** Leaves this server for the next one. */
  move(): void {
    this.#connection?.reconnect().catch(() => undefined);
  }

  async close(): Promise<void> {
    this.#stop.abort();
    this.#hooks.clear();
    await this.#connection?.close();
    await this.#ended;
  }

  async #run(): Promise<void> {
    for (let failures = 0; !this.#stop.signal.aborted; failures += 1) {
      try {
        const connection = await this.#connect();
        failures = 0;
        await this.#keep(connection);
      } catch (error) {
        this.#enter({ kind: 'away', error });
      }
      await this.#pause(failures);
    }
    this.#enter({ kind: 'closed' });
  }

  #connect(): Promise<NatsConnection> {
    const { servers, tls, authenticator } = this.#address;
    return connect({
      servers,
      name: this.#options.name,
      ...(tls ? { tls: {} } : {}),
      ...(authenticator === undefined ? {} : { authenticator }),
      timeout: greetMsMax,
      ignoreClusterUpdates: this.#options.isAlone === true,
      noRandomize: this.#options.keepOrder === true,
      maxReconnectAttempts: -1,
      ignoreAuthErrorAbort: true,
      reconnectTimeWait: connectPauseMsMin,
      reconnectJitter: connectPauseMsMin,
      pingInterval: pingMs,
      maxPingOut: 2,
    });
  }

  /** Resolves when the library has closed it for good. */
  async #keep(connection: NatsConnection): Promise<void> {
    this.#connection = connection;
    if (this.#stop.signal.aborted) return connection.close();
    this.#arrive(connection, false);
    for await (const status of connection.status()) {
      if (status.type === 'disconnect') this.#enter({ kind: 'away', error: new Error('disconnected') });
      if (status.type === 'reconnect') this.#arrive(connection, true);
    }
    const error = await connection.closed();
    this.#enter({ kind: 'away', error: error ?? new Error('closed') });
  }

  #arrive(connection: NatsConnection, isSame: boolean): void {
    this.#enter({ kind: 'connected', server: connection.getServer() });
    for (const hook of this.#hooks) hook(connection, isSame);
  }

  async #pause(failures: number): Promise<void> {
    const ceiling = Math.min(connectPauseMsMax, connectPauseMsMin * 2 ** Math.min(failures, 10));
    const pauseMs = connectPauseMsMin + unitInterval(this.#options.random) * (ceiling - connectPauseMsMin);
    await this.#options.timers.sleep(pauseMs, this.#stop.signal).catch(() => undefined);
  }

  #enter(state: NatsLinkState): void {
    const before = this.#state.kind;
    this.#state = state;
    if (before !== state.kind) this.#options.onState?.(state);
  }
}
