import type { Duplex } from 'node:stream';
import { Worker } from 'node:worker_threads';
import type { Timers } from '../../runtime/timers.ts';
import { type DataDirLock, lockDataDir } from './data-dir-lock.ts';
import { type LinkPeer, WorkerLink } from './worker-link.ts';
import type { FromWorker, PgliteWorkerData, ToWorker } from './worker-protocol.ts';

interface RunningWorker {
  readonly worker: Worker;
  /** Rejects when the engine could not be opened. */
  readonly ready: Promise<void>;
  readonly ended: Promise<void>;
}

/** Longer than the last checkpoint takes. An engine that needs more is ended; its log has everything. */
const closeTimeoutMs = 15_000;

/**
 * The embedded engine seen from the main thread: the lock on its folder, the worker it runs in, and the links
 * into it. A worker that died (out of memory, a bug in the engine) is started again by the next link, and
 * recovers from its log like any PostgreSQL after a crash.
 */
export class PgliteEngine implements LinkPeer {
  readonly #data: PgliteWorkerData;
  readonly #lock: DataDirLock | undefined;
  readonly #links = new Map<number, WorkerLink>();
  readonly #timers: Timers;
  #running: RunningWorker | undefined;
  #linksMade = 0;
  #closed = false;

  constructor(dataDir: string | null, timers: Timers) {
    this.#timers = timers;
    this.#data = { dataDir };
    this.#lock = dataDir === null ? undefined : lockDataDir(dataDir);
  }

  /** Opens the data folder, and makes a new cluster in it at the first start. */
  async start(): Promise<void> {
    await this.#worker().ready;
  }

  openLink(): Duplex {
    this.#linksMade += 1;
    return new WorkerLink(this.#linksMade, this);
  }

  async attach(link: WorkerLink): Promise<void> {
    if (this.#closed) throw new Error('the engine is closed');
    this.#links.set(link.number, link);
    await this.#worker().ready;
  }

  send(link: WorkerLink, bytes: Uint8Array<ArrayBuffer>): void {
    this.#post({ kind: 'frames', link: link.number, bytes }, [bytes.buffer]);
  }

  detach(link: WorkerLink): void {
    this.#links.delete(link.number);
  }

  /** Ends the thread at once, as a crash would. */
  async kill(): Promise<void> {
    await this.#running?.worker.terminate();
    await this.#running?.ended;
  }

  async close(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    const cancel = this.#timers.after(closeTimeoutMs, () => void this.kill());
    try {
      this.#post({ kind: 'close' });
      await this.#running?.ended;
    } finally {
      cancel();
      this.#lock?.release();
    }
  }

  #post(message: ToWorker, transfer: ArrayBuffer[] = []): void {
    this.#running?.worker.postMessage(message, transfer);
  }

  #worker(): RunningWorker {
    this.#running ??= this.#startWorker();
    return this.#running;
  }

  #startWorker(): RunningWorker {
    const worker = new Worker(new URL('./pglite-worker.ts', import.meta.url), {
      workerData: this.#data,
      // Flags that this process was started with (`--input-type`, `--inspect`) are not meant for the thread.
      execArgv: [],
    });
    const ready = Promise.withResolvers<void>();
    const ended = Promise.withResolvers<void>();
    ready.promise.catch(() => undefined);
    let cause: Error | undefined;
    worker.on('message', (message: FromWorker) => {
      if (message.kind === 'frames') this.#links.get(message.link)?.receive(message.bytes);
      if (message.kind === 'ready') ready.resolve();
      if (message.kind === 'failed') {
        cause = new Error(`the embedded engine can not be opened: ${message.message}`);
        void worker.terminate();
      }
    });
    worker.on('error', (error) => {
      cause = error instanceof Error ? error : new Error(String(error));
    });
    worker.on('exit', () => {
      const error = cause ?? new Error('the thread of the embedded engine ended');
      this.#running = undefined;
      ready.reject(error);
      for (const link of this.#links.values()) link.destroy(error);
      ended.resolve();
    });
    return { worker, ready: ready.promise, ended: ended.promise };
  }
}
