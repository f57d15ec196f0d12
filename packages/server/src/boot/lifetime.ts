import { startAbandonMsMax } from '../limits.ts';
import type { Log } from '../logging/log.ts';
import type { ProcessPort } from '../runtime/process.ts';
import { systemTimers } from '../runtime/timers.ts';

/** What was started and can be ended. */
export interface Stoppable {
  /** Finishes what is under way. Rejects if that was not possible. */
  close(): Promise<void>;
}

/**
 * A process from its first step to its exit. It can be told to stop at any time: a start is then given up, before a
 * port is open and a key is shown; what has started is closed. The process ends with 0, or with 1 if the closing failed.
 */
export class Lifetime {
  readonly #port: ProcessPort;
  readonly #log: Log;
  readonly #stopping = new AbortController();
  #running: Promise<Stoppable> | undefined;

  constructor(port: ProcessPort, log: Log) {
    this.#port = port;
    this.#log = log;
  }

  get isStopping(): boolean {
    return this.#stopping.signal.aborted;
  }

  /** Resolves when `start` did, or when it was stopped before that. Throws what `start` throws. */
  async run<Running extends Stoppable>(
    start: (signal: AbortSignal) => Promise<Running>,
  ): Promise<Running | undefined> {
    const { signal } = this.#stopping;
    const running = start(signal);
    this.#running = running;
    try {
      return await running;
    } catch (error) {
      if (!signal.aborted || error !== signal.reason) throw error;
      this.#log.info({}, 'stopped before it had started');
      this.#port.exit(0);
      return undefined;
    }
  }

  /** The first call counts. */
  stop(why: object): void {
    if (this.isStopping) return;
    this.#log.info(why, 'stopping');
    this.#stopping.abort(new Error('told to stop before it had started'));
    const cancel = systemTimers.after(startAbandonMsMax, () => {
      this.#log.warn({}, 'the start did not end in its time and is left as it is');
      this.#port.exit(0);
    });
    // A start that fails is told by `run`.
    void this.#running?.then(
      (running) => {
        cancel();
        return this.#close(running);
      },
      () => cancel(),
    );
  }

  async #close(running: Stoppable): Promise<void> {
    try {
      await running.close();
    } catch (error) {
      this.#log.error({ err: error }, 'stopped, but not in order');
      return this.#port.exit(1);
    }
    this.#log.info({}, 'stopped');
    this.#port.exit(0);
  }
}
