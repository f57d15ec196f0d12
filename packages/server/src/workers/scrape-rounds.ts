import { workerReportMsMax } from '../limits.ts';
import { fleetFamilies } from '../metrics/fleet-families.ts';
import { isCumulative, type MetricFamily, mergeFamilies } from '../metrics/merge-families.ts';
import type { CancelTimer, Timers } from '../runtime/timers.ts';

export interface ScrapeRoundsOptions {
  readonly workers: number;
  readonly timers: Timers;
  /** Asks every worker that is there for its metrics, and says how many that are. */
  readonly askAll: (round: number) => number;
  readonly restarts: () => number;
}

interface Round {
  readonly number: number;
  readonly asked: number;
  readonly fresh: Map<number, readonly MetricFamily[]>;
  readonly done: Promise<readonly MetricFamily[]>;
  readonly finish: () => void;
}

/**
 * Gathers the metrics of all workers for whichever of them was asked. One round at a time, joined by all who ask
 * meanwhile, so that a flood of scrapes at N workers is not N times a flood. A round ends when everybody has
 * answered, and after `workerReportMsMax` without those who have not.
 */
export class ScrapeRounds {
  readonly #options: ScrapeRoundsOptions;
  readonly #last = new Map<number, readonly MetricFamily[]>();
  #departed: readonly MetricFamily[] = [];
  #rounds = 0;
  #running: Round | undefined;

  constructor(options: ScrapeRoundsOptions) {
    this.#options = options;
  }

  /** The metrics of the whole. */
  ask(): Promise<readonly MetricFamily[]> {
    this.#running ??= this.#begin();
    return this.#running.done;
  }

  /** A worker's answer. One that comes after its round is good for the next time that this worker is silent. */
  reported(worker: number, round: number, families: readonly MetricFamily[]): void {
    this.#last.set(worker, families);
    const running = this.#running;
    if (running?.number !== round) return;
    running.fresh.set(worker, families);
    if (running.fresh.size >= running.asked) running.finish();
  }

  /** A worker ended: what it had counted by its last answer stays counted, and its successor begins at nought. */
  ended(worker: number): void {
    const families = this.#last.get(worker);
    if (families === undefined) return;
    this.#last.delete(worker);
    this.#running?.fresh.delete(worker);
    this.#departed = mergeFamilies([this.#departed, families.filter(isCumulative)]);
  }

  #begin(): Round {
    this.#rounds += 1;
    const number = this.#rounds;
    const fresh = new Map<number, readonly MetricFamily[]>();
    const { promise, resolve } = Promise.withResolvers<readonly MetricFamily[]>();
    let cancel: CancelTimer = () => {};
    const finish = (): void => {
      cancel();
      this.#running = undefined;
      resolve(this.#merge(fresh));
    };
    cancel = this.#options.timers.after(workerReportMsMax, finish);
    const asked = this.#options.askAll(number);
    return { number, asked, fresh, done: promise, finish };
  }

  #merge(fresh: ReadonlyMap<number, readonly MetricFamily[]>): readonly MetricFamily[] {
    const silent = [...this.#last].filter(([worker]) => !fresh.has(worker)).map(([, families]) => families);
    const { workers, restarts } = this.#options;
    return fleetFamilies({ workers, fresh, past: [this.#departed, ...silent], restarts: restarts() });
  }
}
