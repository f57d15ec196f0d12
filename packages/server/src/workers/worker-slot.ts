import type { Log } from '../logging/log.ts';
import type { ChildProcess, ProcessEnd, StartChild } from '../runtime/child-process.ts';
import type { CarriedError } from './carried-error.ts';
import type { FromWorker, ToWorker } from './worker-messages.ts';

type Process = ChildProcess<ToWorker, FromWorker>;

/** What a slot tells the supervisor. */
export interface SlotEvents {
  readonly listening: (url: string) => void;
  readonly said: (message: FromWorker) => void;
  readonly ended: (end: WorkerEnd) => void;
}

export interface WorkerEnd extends ProcessEnd {
  readonly livedMs: number;
  /** What it said before it ended, if its start had failed. */
  readonly error: CarriedError | undefined;
}

/**
 * The place of one worker: at most one process at a time stands in it. It starts one when it is told to, and tells
 * what becomes of it; whether another follows is decided by the supervisor.
 */
export class WorkerSlot {
  readonly worker: number;
  readonly #startChild: StartChild<ToWorker, FromWorker>;
  readonly #nowMs: () => number;
  readonly #log: Log;
  #process: Process | undefined;
  #startedMs = 0;
  #listens = false;

  constructor(options: {
    readonly worker: number;
    readonly startChild: StartChild<ToWorker, FromWorker>;
    readonly nowMs: () => number;
    readonly log: Log;
  }) {
    this.worker = options.worker;
    this.#startChild = options.startChild;
    this.#nowMs = options.nowMs;
    this.#log = options.log;
  }

  get isThere(): boolean {
    return this.#process !== undefined;
  }

  get listens(): boolean {
    return this.#listens;
  }

  /** How long its process has been there; 0 if it is not. */
  get livedMs(): number {
    return this.#process === undefined ? 0 : this.#nowMs() - this.#startedMs;
  }

  start(message: ToWorker & { readonly kind: 'start' }, events: SlotEvents): void {
    const { worker } = this;
    const process = this.#startChild(`worker-${worker}`);
    this.#process = process;
    this.#startedMs = this.#nowMs();
    this.#log.info({ worker, pid: process.pid }, 'a worker starts');
    let error: CarriedError | undefined;
    process.onMessage((said) => {
      if (said.kind === 'failed') error = said.error;
      if (said.kind === 'listening') {
        this.#listens = true;
        events.listening(said.url);
      }
      events.said(said);
    });
    process.onEnd((end) => {
      const { livedMs } = this;
      this.#process = undefined;
      this.#listens = false;
      events.ended({ ...end, livedMs, error });
    });
    process.send(message);
  }

  /** Returns false if there is nobody to send it to. */
  send(message: ToWorker): boolean {
    this.#process?.send(message);
    return this.#process !== undefined;
  }

  kill(): void {
    this.#process?.kill();
  }
}
