import type { FeedSource, FeedStretch, FeedSubscription, Heads } from '../feed/feed-source.ts';
import { aheadRowsMax, deafRoundsMax, pushGraceMs } from '../limits.ts';
import type { Timers } from '../runtime/timers.ts';
import type { ResidentVerifier } from '../verifier-port.ts';

/*
 * What is pushed as it commits. It may come twice, out of order, with holes, or not at all: a stretch is applied
 * when it goes on from where its shard stands, is kept for a while when something before it is missing, and nothing
 * that comes this way renews a lease.
 *
 * A push can be deaf with its socket open. Whoever asked for the heads and then had to read what a push should have
 * brought says so (`missed`); after a few such rounds in a row the subscription is made anew.
 */

export interface PushOptions {
  readonly source: FeedSource;
  readonly verifier: ResidentVerifier;
  readonly timers: Timers;
  /** Ask for the lease now. */
  readonly wake: () => void;
}

export class Push {
  readonly #options: PushOptions;
  #subscription: FeedSubscription | undefined;
  /** Raised with each subscription, so that a late word of an old one is not heard. */
  #generation = 0;
  readonly #ahead = new Map<number, Map<number, FeedStretch>>();
  #aheadRows = 0;
  #deafRounds = 0;
  #recreations = 0;
  #onApplied: (() => void) | undefined;

  constructor(options: PushOptions) {
    this.#options = options;
  }

  /** How often a subscription was given up for deaf. */
  get recreations(): number {
    return this.#recreations;
  }

  get isOpen(): boolean {
    return this.#subscription !== undefined;
  }

  /** Subscribes from where the table stands, unless it has already. */
  open(): void {
    const { source, verifier } = this.#options;
    if (this.#subscription !== undefined || source.subscribe === undefined) return;
    this.#generation += 1;
    const generation = this.#generation;
    const isCurrent = () => this.#generation === generation;
    const from = { ...verifier.applied(), view: verifier.view };
    this.#subscription = source.subscribe(from, {
      stretch: (stretch) => {
        if (isCurrent()) this.#take(stretch);
      },
      wanted: () => {
        if (isCurrent()) this.#options.wake();
      },
      ended: () => {
        if (isCurrent()) this.close();
      },
    });
  }

  close(): void {
    this.#generation += 1;
    const subscription = this.#subscription;
    this.#subscription = undefined;
    this.#forgetAhead();
    this.#deafRounds = 0;
    subscription?.close();
  }

  /** Resolves when the push has brought everything up to these heads, or after the time that it is given to. */
  async bring(heads: Heads): Promise<void> {
    if (!this.isOpen || this.stands(heads)) return;
    const { promise, resolve } = Promise.withResolvers<void>();
    const cancel = this.#options.timers.after(pushGraceMs, resolve);
    this.#onApplied = () => {
      if (this.stands(heads)) resolve();
    };
    await promise;
    this.#onApplied = undefined;
    cancel();
  }

  /** A round that had something to fetch is over: did the push bring all of it? */
  heard(all: boolean): void {
    this.#deafRounds = all ? 0 : this.#deafRounds + 1;
    if (this.#deafRounds < deafRoundsMax || !this.isOpen) return;
    this.#recreations += 1;
    this.close();
    this.open();
  }

  /** Does the table stand at these heads, or past them? */
  stands(heads: Heads): boolean {
    const { epoch, seqs } = this.#options.verifier.applied();
    return epoch === heads.epoch && heads.seqs.every((head, shard) => (seqs[shard] ?? 0) >= head);
  }

  #take(stretch: FeedStretch): void {
    const { verifier } = this.#options;
    const place = verifier.applyStretch(stretch);
    if (place === 'ahead') this.#keep(stretch);
    if (place !== 'applied') return;
    const waiting = this.#ahead.get(stretch.shard);
    for (let next = waiting?.get(stretch.upTo); next !== undefined; next = waiting?.get(next.upTo)) {
      waiting?.delete(next.after);
      this.#aheadRows -= weightOf(next);
      if (verifier.applyStretch(next) !== 'applied') break;
    }
    this.#onApplied?.();
  }

  /** By where it begins. At the bound all are let go: a read fetches them. */
  #keep(stretch: FeedStretch): void {
    const weight = weightOf(stretch);
    if (this.#aheadRows + weight > aheadRowsMax) this.#forgetAhead();
    if (weight > aheadRowsMax) return;
    const waiting = this.#ahead.get(stretch.shard) ?? new Map<number, FeedStretch>();
    const before = waiting.get(stretch.after);
    this.#aheadRows += weight - (before === undefined ? 0 : weightOf(before));
    this.#ahead.set(stretch.shard, waiting.set(stretch.after, stretch));
  }

  #forgetAhead(): void {
    this.#ahead.clear();
    this.#aheadRows = 0;
  }
}

/** One without rows takes its place as well. */
function weightOf({ rows }: FeedStretch): number {
  return Math.max(1, rows.length);
}
