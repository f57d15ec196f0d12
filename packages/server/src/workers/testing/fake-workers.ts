import { configWith } from '../../config/load-config.ts';
import type { MetricFamily } from '../../metrics/merge-families.ts';
import type { ProcessEnd, StartChild } from '../../runtime/child-process.ts';
import type { CancelTimer, Timers } from '../../runtime/timers.ts';
import { type RunningWorkers, startSupervisor } from '../supervisor.ts';
import type { FromWorker, ToWorker } from '../worker-messages.ts';

/** Timers that run when a test says so. */
export class ListedTimers implements Timers {
  readonly listed = new Set<{ readonly delayMs: number; readonly run: () => void }>();

  after(delayMs: number, run: () => void): CancelTimer {
    const timer = { delayMs, run };
    this.listed.add(timer);
    return () => this.listed.delete(timer);
  }

  every(periodMs: number, run: () => void): CancelTimer {
    return this.after(periodMs, run);
  }

  sleep(delayMs: number, signal?: AbortSignal): Promise<void> {
    return new Promise((resolve, reject) => {
      const cancel = this.after(delayMs, resolve);
      signal?.addEventListener('abort', () => {
        cancel();
        reject(signal.reason);
      });
    });
  }

  /** Runs those that wait for at most so long. */
  fire(delayMsMax: number): void {
    for (const timer of [...this.listed]) {
      if (timer.delayMs > delayMsMax) continue;
      this.listed.delete(timer);
      timer.run();
    }
  }
}

/** A worker that does only what a test says. */
export class FakeWorker {
  readonly label: string;
  readonly pid: number;
  readonly received: ToWorker[] = [];
  isThere = true;
  wasKilled = false;
  readonly #hearers: ((message: FromWorker) => void)[] = [];
  readonly #enders: ((end: ProcessEnd) => void)[] = [];

  constructor(label: string, pid: number) {
    this.label = label;
    this.pid = pid;
  }

  send(message: ToWorker): void {
    this.received.push(message);
  }

  onMessage(run: (message: FromWorker) => void): void {
    this.#hearers.push(run);
  }

  onEnd(run: (end: ProcessEnd) => void): void {
    this.#enders.push(run);
  }

  kill(): void {
    this.wasKilled = true;
    this.end({ code: null, signal: 'SIGKILL' });
  }

  say(message: FromWorker): void {
    for (const hear of this.#hearers) hear(message);
  }

  listen(): void {
    this.say({ kind: 'listening', url: 'http://127.0.0.1:4321' });
  }

  report(families: readonly MetricFamily[]): void {
    const asked = this.received.findLast((message) => message.kind === 'report');
    if (asked?.kind === 'report') this.say({ kind: 'report', round: asked.round, families });
  }

  end(end: Partial<ProcessEnd> = {}): void {
    this.isThere = false;
    for (const tell of this.#enders) tell({ code: null, signal: null, ...end });
  }

  heard(kind: ToWorker['kind']): boolean {
    return this.received.some((message) => message.kind === kind);
  }

  get start(): ToWorker & { readonly kind: 'start' } {
    const first = this.received[0];
    if (first?.kind !== 'start') throw new Error('the first message is to begin');
    return first;
  }
}

/** A supervisor over workers that do only what a test says. */
export class Bench {
  readonly timers = new ListedTimers();
  readonly started: FakeWorker[] = [];
  readonly said: { readonly level: string; readonly text: string }[] = [];
  readonly stopping = new AbortController();
  readonly running: Promise<RunningWorkers>;
  collapses = 0;
  nowMs = 0;

  constructor({ workers = 2, platform = 'linux' as NodeJS.Platform } = {}) {
    const startChild: StartChild<ToWorker, FromWorker> = (label) => {
      const worker = new FakeWorker(label, 1000 + this.started.length);
      this.started.push(worker);
      return worker;
    };
    const note = (level: string) => (_: unknown, text?: string) => {
      this.said.push({ level, text: String(text) });
    };
    const log = {
      debug: note('debug'),
      info: note('info'),
      warn: note('warn'),
      error: note('error'),
      fatal: note('fatal'),
    };
    this.running = startSupervisor(configWith({ port: 0, workers, databaseUrl: 'postgres://unused' }), {
      log,
      startChild,
      platform,
      timers: this.timers,
      nowMs: () => this.nowMs,
      chance: () => 0,
      signal: this.stopping.signal,
      onCollapse: () => {
        this.collapses += 1;
      },
    });
    this.running.catch(() => {});
  }

  get last(): FakeWorker {
    return this.at(this.started.length - 1);
  }

  at(index: number): FakeWorker {
    const worker = this.started[index];
    if (worker === undefined) throw new Error(`worker ${index} was never started`);
    return worker;
  }

  /** Lets what was promised happen. */
  async settle(): Promise<void> {
    for (let turn = 0; turn < 10; turn += 1) await Promise.resolve();
  }

  /** Every worker listens. */
  async open(): Promise<RunningWorkers> {
    this.at(0).listen();
    await this.settle();
    for (const worker of this.started.slice(1)) worker.listen();
    return this.running;
  }

  logged(text: string): boolean {
    return this.said.some((line) => line.text.includes(text));
  }
}
