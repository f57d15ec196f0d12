import { newsPauseMs, scrapeMsMax } from '../limits.ts';
import { fleetFamilies } from '../metrics/fleet-families.ts';
import { familiesText, type MetricFamily } from '../metrics/merge-families.ts';
import type { ParentChannel } from '../runtime/parent-channel.ts';
import type { Timers } from '../runtime/timers.ts';
import { paced } from './paced.ts';
import type { FromWorker, ToWorker, WorkerPlace } from './worker-messages.ts';

/** What the seat asks of the server that sits in it. */
export interface SeatMetrics {
  families(): Promise<readonly MetricFamily[]>;
}

/** A server's place among others that share its port. */
export interface WorkerSeat {
  /** No other is there: whoever listens on the port is a stranger. */
  readonly isAlone: boolean;
  /** Every worker has listened once: ready means the whole. */
  isOpen(): boolean;
  /** Takes the metrics of the server; gives what it answers with: those of all workers, in the exposition format. */
  speakFor(own: SeatMetrics): () => Promise<string>;
  /** The same as figures. */
  families(own: SeatMetrics): Promise<readonly MetricFamily[]>;
  /** This server has committed something. A hint to the others: what follows from it they read for themselves. */
  committed(): void;
  /** Runs when another server may have committed something. */
  onNews(run: () => void): void;
}

/** The seat as its worker has it: fed with what the supervisor says. */
export class ChannelSeat implements WorkerSeat {
  readonly isAlone: boolean;
  readonly #place: WorkerPlace;
  readonly #channel: ParentChannel<FromWorker, ToWorker>;
  readonly #timers: Timers;
  readonly #tellNews: () => void;
  readonly #hearNews: () => void;
  readonly #asks = new Map<number, (families: readonly MetricFamily[] | undefined) => void>();
  #own: SeatMetrics | undefined;
  #onNews: () => void = () => {};
  #isOpen: boolean;
  #lastAsk = 0;

  constructor(options: {
    readonly place: WorkerPlace;
    readonly channel: ParentChannel<FromWorker, ToWorker>;
    readonly timers: Timers;
  }) {
    this.#place = options.place;
    this.#channel = options.channel;
    this.#timers = options.timers;
    this.isAlone = options.place.isAlone;
    this.#isOpen = options.place.isOpen;
    const pace = (run: () => void) => paced({ timers: options.timers, pauseMs: newsPauseMs, run });
    this.#tellNews = pace(() => void this.#channel.send({ kind: 'news' }));
    // Here too: many that write would otherwise have this one read without a rest.
    this.#hearNews = pace(() => this.#onNews());
  }

  committed(): void {
    this.#tellNews();
  }

  onNews(run: () => void): void {
    this.#onNews = run;
  }

  /** Another worker has committed something. */
  news(): void {
    this.#hearNews();
  }

  isOpen(): boolean {
    return this.#isOpen;
  }

  /** Every worker listens. */
  open(): void {
    this.#isOpen = true;
  }

  /** The supervisor has answered. One that answers too late is not waited for any more. */
  scraped(ask: number, families: readonly MetricFamily[]): void {
    this.#asks.get(ask)?.(families);
  }

  speakFor(own: SeatMetrics): () => Promise<string> {
    this.#own = own;
    return async () => familiesText(await this.families(own));
  }

  async families(own: SeatMetrics): Promise<readonly MetricFamily[]> {
    return (await this.#askSupervisor()) ?? (await this.#alone(own));
  }

  /** The supervisor asks what this worker has counted. */
  async report(round: number): Promise<void> {
    if (this.#own === undefined) return;
    await this.#channel.send({ kind: 'report', round, families: await this.#own.families() });
  }

  #askSupervisor(): Promise<readonly MetricFamily[] | undefined> {
    this.#lastAsk += 1;
    const ask = this.#lastAsk;
    return new Promise((resolve) => {
      const answer = (families: readonly MetricFamily[] | undefined): void => {
        cancel();
        this.#asks.delete(ask);
        resolve(families);
      };
      const cancel = this.#timers.after(scrapeMsMax, () => answer(undefined));
      this.#asks.set(ask, answer);
      void this.#channel.send({ kind: 'scrape', ask });
    });
  }

  /** Nobody speaks for the others: what is left is what this worker knows, and that it is the only one to report. */
  async #alone(own: SeatMetrics): Promise<readonly MetricFamily[]> {
    const { worker, workers } = this.#place;
    const fresh = new Map([[worker, await own.families()]]);
    return fleetFamilies({ workers, fresh, past: [], restarts: undefined });
  }
}
