import { LatencyHistogram } from '../bench/levels/latency-histogram.ts';
import { VerifyConnection, type VerifyTarget } from './verify-connection.ts';

/*
 * An open-loop load of verifications: each is due at an instant of a Poisson process, whatever became of those
 * before, and its latency counts from when it was due. A connection that is held up does not slow the others down; when
 * all of them are, what is due waits for one, as it does in the pool of any client, and its latency grows with it. Past
 * `waitingMax` it is counted as not sent.
 */

/** Requests that wait for a connection: some seconds of the greatest load that is put on anything here. */
const waitingMax = 100_000;

export interface OpenLoadOptions {
  readonly target: VerifyTarget;
  readonly keyspace: string;
  /** Valid keys that nobody revokes. */
  readonly keys: readonly string[];
  readonly perSecond: number;
  /** In a server's reach: one takes 8,192 unless it is told otherwise. */
  readonly connectionsMax: number;
  readonly random: () => number;
  /** Told when a verdict says that the holder of the key at this place is to renew it. */
  readonly onRenewAfter?: ((at: number, renewAfter: string) => void) | undefined;
}

/** Counts of one stretch of time, which `take` begins anew. */
export interface LoadCounts {
  readonly valid: number;
  /** 503: stale or overloaded. */
  readonly unavailable: number;
  /** A key that is valid was refused: P3 broken. */
  readonly refused: Readonly<Record<string, number>>;
  /** No reply came. */
  readonly lost: number;
  readonly notSent: number;
  /** From due to reply. */
  readonly latencies: LatencyHistogram;
}

interface Due {
  readonly dueMs: number;
  /** Which key. */
  readonly at: number;
}

export class OpenLoad {
  readonly #options: OpenLoadOptions;
  readonly #idle: VerifyConnection[] = [];
  readonly #all: VerifyConnection[] = [];
  /** In the order in which they were due, from `#waitingFrom` on. */
  readonly #waiting: Due[] = [];
  #waitingFrom = 0;
  #counts = emptyCounts();
  #stopped = false;
  #ended: Promise<void> = Promise.resolve();

  constructor(options: OpenLoadOptions) {
    this.#options = options;
  }

  start(): void {
    this.#ended = this.#run();
  }

  take(): LoadCounts {
    const counts = this.#counts;
    this.#counts = emptyCounts();
    return counts;
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    await this.#ended;
    for (const connection of this.#all) connection.close();
  }

  async #run(): Promise<void> {
    const { perSecond, random } = this.#options;
    let dueMs = performance.now();
    while (!this.#stopped) {
      const nowMs = performance.now();
      while (dueMs <= nowMs) {
        this.#send(dueMs);
        dueMs += (-Math.log(1 - random()) / perSecond) * 1000;
      }
      await new Promise((resolve) => setTimeout(resolve, Math.max(1, dueMs - nowMs)));
    }
  }

  #send(dueMs: number): void {
    const { keys, random } = this.#options;
    const due = { dueMs, at: Math.floor(random() * keys.length) };
    const connection = this.#idle.pop() ?? this.#newConnection();
    if (connection !== undefined) this.#ask(connection, due);
    else if (this.#waiting.length - this.#waitingFrom < waitingMax) this.#waiting.push(due);
    else this.#counts.notSent += 1;
  }

  #ask(connection: VerifyConnection, { dueMs, at }: Due): void {
    const { keys, keyspace, onRenewAfter } = this.#options;
    void connection.ask(keys[at] ?? '', keyspace).then(({ status, code, renewAfter, receivedAtMs }) => {
      const counts = this.#counts;
      if (status === 200 && code === 'valid') counts.valid += 1;
      else if (status === 503 || status === 429) counts.unavailable += 1;
      else if (status === 0) counts.lost += 1;
      else counts.refused[code] = (counts.refused[code] ?? 0) + 1;
      counts.latencies.record(receivedAtMs - dueMs);
      if (renewAfter !== undefined) onRenewAfter?.(at, renewAfter);
      const next = this.#nextWaiting();
      if (next === undefined) this.#idle.push(connection);
      else this.#ask(connection, next);
    });
  }

  #nextWaiting(): Due | undefined {
    const next = this.#waiting[this.#waitingFrom];
    if (next === undefined) return undefined;
    this.#waitingFrom += 1;
    if (this.#waitingFrom === this.#waiting.length) {
      this.#waiting.length = 0;
      this.#waitingFrom = 0;
    }
    return next;
  }

  #newConnection(): VerifyConnection | undefined {
    if (this.#all.length >= this.#options.connectionsMax) return undefined;
    const connection = new VerifyConnection(this.#options.target);
    this.#all.push(connection);
    return connection;
  }
}

function emptyCounts() {
  const refused: Record<string, number> = {};
  return { valid: 0, unavailable: 0, refused, lost: 0, notSent: 0, latencies: new LatencyHistogram() };
}

/** The value below which this share of an ascending list lies; NaN of an empty one. */
export function quantile(ascending: readonly number[], share: number): number {
  const at = Math.min(ascending.length - 1, Math.floor(share * ascending.length));
  return ascending[at] ?? Number.NaN;
}
