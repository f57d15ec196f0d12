import { ConfigError } from '../config/config-error.ts';
import type { ServerConfig } from '../config/config-schema.ts';
import { workerEndMsMax, workerGrownMs } from '../limits.ts';
import type { Log } from '../logging/log.ts';
import type { StartChild } from '../runtime/child-process.ts';
import { holdPort } from '../runtime/hold-port.ts';
import type { Timers } from '../runtime/timers.ts';
import { revealError } from './carried-error.ts';
import { RestartPolicy } from './restart-policy.ts';
import { ScrapeRounds } from './scrape-rounds.ts';
import type { FromWorker, ToWorker } from './worker-messages.ts';
import { type WorkerEnd, WorkerSlot } from './worker-slot.ts';

/*
 * N servers on one port, and this process over them. It opens no port and reads no request: each
 * worker listens for itself (SO_REUSEPORT) and the kernel spreads the connections, so that no accept loop stands
 * between a caller and a core. What it does: starts them, starts them again, lets them end, and gathers their metrics.
 *
 *   starting   the first worker alone: it looks whether the port is free, brings the schema up to date and prints the
 *              first key; then the others, together. A fault of the first one is told as if it were the only one.
 *   open       every worker has listened once. Only now is any of them ready.
 *   draining   all were told to drain; who is still there after the time for it is killed.
 *
 * A worker that ends by itself is started again (restart-policy.ts). If the supervisor is gone, however it went, its
 * workers see their channel close and drain: none is left behind.
 */

export interface SupervisorOptions {
  readonly log: Log;
  readonly startChild: StartChild<ToWorker, FromWorker>;
  readonly timers: Timers;
  readonly nowMs: () => number;
  /** In [0, 1). */
  readonly chance: () => number;
  readonly platform: NodeJS.Platform;
  /** Aborted when the start is to be given up. */
  readonly signal: AbortSignal;
  /** Runs when the workers keep dying, once all have ended: there is nothing left to supervise. */
  readonly onCollapse: () => void;
}

export interface RunningWorkers {
  /** `http://host:port`, with the port that was really taken. */
  readonly url: string;
  /** Drains every worker. Rejects if one had to be killed. */
  close(): Promise<void>;
  /** Ends every worker as it stands. */
  kill(): void;
}

/** Resolves when every worker listens. Throws what a single server would throw; then none is left. */
export async function startSupervisor(
  config: ServerConfig,
  options: SupervisorOptions,
): Promise<RunningWorkers> {
  if (options.platform !== 'linux') {
    throw new ConfigError('workers', '1 on this platform: several share a port on Linux only');
  }
  const letGo = config.port === 0 ? () => {} : await holdPort(config.port, options);
  const supervisor = new Supervisor(config, options);
  try {
    const url = await supervisor.start();
    return { url, close: () => supervisor.close(), kill: () => supervisor.kill() };
  } catch (error) {
    await supervisor.close();
    throw error;
  } finally {
    letGo();
  }
}

class Supervisor {
  readonly #options: SupervisorOptions;
  readonly #slots: readonly WorkerSlot[];
  readonly #policies: readonly RestartPolicy[];
  readonly #scrapes: ScrapeRounds;
  readonly #leaving = new AbortController();
  readonly #opened = Promise.withResolvers<void>();
  #config: ServerConfig;
  #isOpen = false;
  #closing: Promise<void> | undefined;
  #restarts = 0;
  #onNobodyLeft: (() => void) | undefined;

  constructor(config: ServerConfig, options: SupervisorOptions) {
    this.#config = config;
    this.#options = options;
    const { log, startChild, nowMs } = options;
    this.#slots = Array.from(
      { length: config.workers },
      (_, at) => new WorkerSlot({ worker: at + 1, startChild, nowMs, log }),
    );
    this.#policies = this.#slots.map(() => new RestartPolicy());
    this.#scrapes = new ScrapeRounds({
      workers: config.workers,
      timers: options.timers,
      askAll: (round) => this.#toAll({ kind: 'report', round }, (slot) => slot.listens),
      restarts: () => this.#restarts,
    });
  }

  async start(): Promise<string> {
    const { signal, log } = this.#options;
    const [first, ...others] = this.#slots;
    if (first === undefined) throw new ConfigError('workers', 'at least 1', '0');
    const given = new Promise<never>((_, reject) => {
      signal.addEventListener('abort', () => reject(signal.reason), { once: true });
    });
    signal.throwIfAborted();
    const url = await Promise.race([this.#startFirst(first), given]);
    this.#config = { ...this.#config, port: Number(new URL(url).port) };
    for (const slot of others) this.#start(slot);
    this.#openIfAllListen();
    await Promise.race([this.#opened.promise, given]);
    const { workers, profile } = this.#config;
    log.info({ url, workers, profile }, 'listening');
    return url;
  }

  close(): Promise<void> {
    this.#closing ??= this.#drain();
    return this.#closing;
  }

  kill(): void {
    for (const slot of this.#slots) slot.kill();
  }

  async #drain(): Promise<void> {
    const { log, timers } = this.#options;
    this.#leaving.abort();
    const left = () => this.#slots.filter((slot) => slot.isThere);
    if (left().length === 0) return;
    const nobodyLeft = new Promise<void>((resolve) => {
      this.#onNobodyLeft = resolve;
    });
    let late: readonly number[] = [];
    const { drainDelayMs, drainTimeoutMs } = this.#config;
    const cancel = timers.after(drainDelayMs + drainTimeoutMs + workerEndMsMax, () => {
      late = left().map(({ worker }) => worker);
      log.error({ workers: late }, 'workers did not end in their time and are killed');
      this.kill();
    });
    this.#toAll({ kind: 'drain' });
    await nobodyLeft;
    cancel();
    if (late.length > 0) throw new Error(`workers had to be killed: ${late.join(', ')}`);
  }

  /** The first start of all. Its failure is nobody's bad luck: the settings, the port or the store are not right. */
  #startFirst(slot: WorkerSlot): Promise<string> {
    return new Promise((resolve, reject) => {
      let hasListened = false;
      slot.start(this.#startMessage(slot), {
        listening: (url) => {
          hasListened = true;
          resolve(url);
        },
        said: (message) => this.#heard(slot, message),
        ended: (end) => {
          if (hasListened) return this.#ended(slot, end);
          this.#noteEmpty();
          reject(
            end.error === undefined ? new Error(`the first worker ${howEnded(end)}`) : revealError(end.error),
          );
        },
      });
    });
  }

  #start(slot: WorkerSlot): void {
    slot.start(this.#startMessage(slot), {
      listening: () => this.#openIfAllListen(),
      said: (message) => this.#heard(slot, message),
      ended: (end) => this.#ended(slot, end),
    });
  }

  #startMessage({ worker }: WorkerSlot): ToWorker & { readonly kind: 'start' } {
    const isAlone = !this.#slots.some((slot) => slot.isThere);
    const place = { worker, workers: this.#slots.length, isAlone, isOpen: this.#isOpen };
    return { kind: 'start', config: this.#config, place };
  }

  #openIfAllListen(): void {
    if (this.#isOpen || !this.#slots.every((slot) => slot.listens)) return;
    this.#isOpen = true;
    this.#toAll({ kind: 'open' });
    this.#opened.resolve();
  }

  #heard(slot: WorkerSlot, message: FromWorker): void {
    if (message.kind === 'report') this.#scrapes.reported(slot.worker, message.round, message.families);
    if (message.kind === 'news') this.#toAll({ kind: 'news' }, (other) => other !== slot);
    if (message.kind !== 'scrape') return;
    const { ask } = message;
    void this.#scrapes.ask().then((families) => slot.send({ kind: 'scraped', ask, families }));
  }

  #ended(slot: WorkerSlot, end: WorkerEnd): void {
    const { worker } = slot;
    const { log, chance } = this.#options;
    this.#scrapes.ended(worker);
    if (this.#leaving.signal.aborted) {
      log.info({ worker }, 'a worker has ended');
      this.#noteEmpty();
      return;
    }
    const { code, signal, error, livedMs } = end;
    log.error({ worker, code, signal, why: error?.message }, 'a worker ended without being told to');
    const hasElder =
      this.#isOpen && this.#slots.some((other) => other.listens && other.livedMs > workerGrownMs);
    const pauseMs = this.#policies[worker - 1]?.died({ livedMs, hasElder, chance: chance() });
    if (pauseMs === undefined || pauseMs === 'give_up') this.#collapse(worker);
    else void this.#startAgain(slot, pauseMs);
  }

  async #startAgain(slot: WorkerSlot, pauseMs: number): Promise<void> {
    const { signal } = this.#leaving;
    // A sleep holds the process, where nothing else may be left to hold it. It rejects when all is over.
    await this.#options.timers.sleep(pauseMs, signal).catch(() => {});
    if (signal.aborted) return;
    this.#restarts += 1;
    this.#start(slot);
  }

  #collapse(worker: number): void {
    const { log, onCollapse } = this.#options;
    log.fatal({ worker }, 'a worker keeps dying at its start, and no other has lived for long: giving up');
    void this.close().then(onCollapse, onCollapse);
  }

  #noteEmpty(): void {
    if (!this.#slots.some((slot) => slot.isThere)) this.#onNobodyLeft?.();
  }

  /** Returns to how many it went. */
  #toAll(message: ToWorker, isMeant: (slot: WorkerSlot) => boolean = () => true): number {
    return this.#slots.filter((slot) => isMeant(slot) && slot.send(message)).length;
  }
}

function howEnded({ code, signal }: WorkerEnd): string {
  return signal === null ? `ended with ${code}` : `was ended by ${signal}`;
}
