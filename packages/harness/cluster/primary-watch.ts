import { setTimeout as sleep } from 'node:timers/promises';
import { Client } from 'pg';
import { failedProbesMax, probeEveryMs, probeMsMax, silentSecondsMax } from './limits.ts';
import { monotonicMs } from './monotonic.ts';

export interface PrimaryWatchOptions {
  /** Whoever is primary now. */
  readonly target: () => { readonly url: string };
  /** It answered: is a standby in step with it? */
  readonly onSeen: (isInStep: boolean) => void;
  /** It has failed as often as is allowed. Told again after each further failure. */
  readonly onLost: (suspectedAtMs: number) => void;
}

/*
 * A standby that is waited for, and that has told how far it is: it does so once a second. One that has gone silent may
 * lack what is visible on the primary, for a commit whose wait is broken off is: the servers give up after 10 seconds, and
 * by then it has not been in step for long.
 */
const question = `select exists (
  select from pg_stat_replication
  where state = 'streaming' and sync_state in ('sync', 'quorum')
    and reply_time > clock_timestamp() - interval '${silentSecondsMax} seconds'
) as in_step`;

/** Asks the primary over and over, on one connection while it holds. */
export class PrimaryWatch {
  readonly #options: PrimaryWatchOptions;
  readonly #stopped = new AbortController();
  #client: { readonly client: Client; readonly url: string } | undefined;
  #failures = 0;
  #suspectedAtMs = 0;

  constructor(options: PrimaryWatchOptions) {
    this.#options = options;
  }

  start(): void {
    void this.#run();
  }

  stop(): void {
    this.#stopped.abort();
    this.#drop();
  }

  /** One look of its own, apart from the round. */
  async look(): Promise<boolean> {
    const isInStep = await this.#ask();
    this.#options.onSeen(isInStep);
    return isInStep;
  }

  async #run(): Promise<void> {
    const { signal } = this.#stopped;
    while (!signal.aborted) {
      const { url } = this.#options.target();
      try {
        const isInStep = await this.#ask();
        this.#failures = 0;
        this.#options.onSeen(isInStep);
      } catch {
        this.#drop();
        // A failure of the one before says nothing of the one that has taken over meanwhile.
        if (this.#options.target().url !== url) this.#failures = 0;
        else this.#noteFailure();
      }
      await sleep(probeEveryMs, undefined, { signal }).catch(() => undefined);
    }
  }

  #noteFailure(): void {
    if (this.#stopped.signal.aborted) return;
    if (this.#failures === 0) this.#suspectedAtMs = monotonicMs();
    this.#failures += 1;
    if (this.#failures >= failedProbesMax) this.#options.onLost(this.#suspectedAtMs);
  }

  async #ask(): Promise<boolean> {
    const { url } = this.#options.target();
    if (this.#client?.url !== url) {
      this.#drop();
      const client = new Client({
        connectionString: url,
        connectionTimeoutMillis: probeMsMax,
        query_timeout: probeMsMax,
      });
      client.on('error', () => undefined);
      this.#client = { client, url };
      await client.connect();
    }
    const { rows } = await this.#client.client.query(question);
    return (rows[0] as { in_step?: unknown } | undefined)?.in_step === true;
  }

  #drop(): void {
    const held = this.#client;
    this.#client = undefined;
    // Not waited for: it may have nobody at its other end.
    if (held === undefined) return;
    held.client.connection.stream.destroy();
    held.client.end().catch(() => undefined);
  }
}
