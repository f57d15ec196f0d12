import { Fault, type FeedRow } from '@keyswarm/core';
import type { AuthorityClock } from '../clock/authority-clock.ts';
import type { FeedSource, Heads, LeaseAnswer, TablePlace } from '../feed/feed-source.ts';
import {
  catchUpPauseMs,
  followerPauseMsMax,
  followerPauseMsMin,
  leaseAskMs,
  leaseAskMsMax,
} from '../limits.ts';
import { type Random, unitInterval } from '../runtime/random.ts';
import type { Timers } from '../runtime/timers.ts';
import type { UseReporter } from '../uses/use-reporter.ts';
import type { ResidentVerifier, VerifierClock } from '../verifier-port.ts';
import { BadFeedRow } from './bad-feed-row.ts';
import { CatchUpWaiters } from './catch-up-waiters.ts';
import { type FollowerState, OlderEpoch, type ReloadReason } from './follower-state.ts';
import { provenAtMs } from './proven-at.ts';
import { Push } from './push.ts';
import { ShardReader } from './shard-reader.ts';
import { takeSnapshot } from './take-snapshot.ts';
import { WakeableSleep } from './wakeable-sleep.ts';

/*
 * Keeps one resident table equal to the authority's, and its lease alive for as long as that can be proved.
 *
 *   starting → following ⇄ unreachable      a round failed; pause, then again
 *                 ⇅                          reloading: new epoch, rows gone, heads went back, another view
 *              blocked                       a row that can't be read: its shard is quarantined
 *
 * One round: note the clock (p0), ask for the heads, get and apply what is missing of each shard, and only when
 * every shard stands at those heads renew the lease as of p0, less the age of the answer. The heads were read after
 * p0 − age, so whatever was acknowledged before that is applied; that is the whole proof (SPEC.md). Nothing else
 * renews the lease: not a wake, not a push, not the shortcut of a commit.
 *
 * Two things shorten the way of a change and prove nothing: what is pushed (`push.ts`), and the shortcut of the
 * process that commits, which hands its rows over at once (`applyCommitted`), so that it knows its own writes
 * without a read. A row that is not the next one of its shard (another process wrote in between) has its facts
 * applied anyway, since facts carry revisions, and wakes the loop to fetch what lies between.
 *
 * What it is not: it decides nothing about keys, and it never answers for the verifier. It stops only when told to.
 */

export interface FollowerOptions {
  readonly source: FeedSource;
  readonly verifier: ResidentVerifier;
  readonly clock: VerifierClock;
  readonly timers: Timers;
  readonly random: Random;
  readonly pollMs?: number;
  /** The least time between two rounds that callers asked for. */
  readonly catchUpPauseMs?: number;
  /** Refined by every answer that says what the authority's clock shows. */
  readonly authorityClock?: AuthorityClock | undefined;
  /** Tells the uses of rotating keys with the asks; absent: whoever made this tells them otherwise, or nobody. */
  readonly uses?: UseReporter | undefined;
  /** Told of every change of state. Must not throw. */
  readonly onState?: (state: FollowerState) => void;
}

export interface Follower {
  /** Resolves when the first snapshot is loaded and the lease was first renewed. */
  readonly ready: Promise<void>;
  readonly state: FollowerState;
  /** Rows that this process has just committed, in the order of their numbers. */
  applyCommitted(rows: readonly FeedRow[]): void;
  /** Asks for a round now. */
  wake(): void;
  /**
   * Resolves when a round that began after this call has applied all heads: then everything acknowledged before
   * the call is resident. Shared by all who wait at the same time. Rejects with `stale` when it takes too long.
   */
  catchUp(): Promise<void>;
  /** How often a push was taken for deaf and made anew. */
  readonly pushRecreations: number;
  /** Ends the loop; resolves when it has ended. */
  stop(): Promise<void>;
}

export function startFollower(options: FollowerOptions): Follower {
  const follower = new FeedFollower(options);
  follower.start();
  return follower;
}

class FeedFollower implements Follower {
  readonly ready: Promise<void>;
  readonly #options: FollowerOptions;
  readonly #sleep: WakeableSleep;
  /** After a failure. Only `stop` ends it: were a request to, an outage would be answered with a storm of reads. */
  readonly #pause: WakeableSleep;
  readonly #waiters: CatchUpWaiters;
  readonly #reader: ShardReader;
  readonly #push: Push;
  readonly #becomeReady: () => void;
  #state: FollowerState = { kind: 'starting' };
  readonly #stop = new AbortController();
  #ended: Promise<void> = Promise.resolve();
  #failures = 0;

  constructor(options: FollowerOptions) {
    this.#options = options;
    this.#sleep = new WakeableSleep(options.timers);
    this.#pause = new WakeableSleep(options.timers);
    this.#waiters = new CatchUpWaiters(options.timers);
    this.#reader = new ShardReader(options.source, options.verifier);
    this.#push = new Push({ ...options, wake: () => this.#sleep.wake() });
    const { promise, resolve } = Promise.withResolvers<void>();
    this.ready = promise;
    this.#becomeReady = resolve;
  }

  get pushRecreations(): number {
    return this.#push.recreations;
  }

  get state(): FollowerState {
    return this.#state;
  }

  start(): void {
    this.#ended = this.#run();
  }

  applyCommitted(rows: readonly FeedRow[]): void {
    const { verifier } = this.#options;
    for (const row of rows) {
      if (verifier.applyRow(row)) continue;
      // The loop may have read it before we were told; else rows of another process lie between.
      if (isApplied(row, verifier.applied())) continue;
      verifier.applyFacts(row);
      this.#sleep.wake();
    }
  }

  wake(): void {
    this.#sleep.wake();
  }

  catchUp(): Promise<void> {
    if (this.#stop.signal.aborted)
      return Promise.reject(new Fault('shutting_down', { detail: 'The feed has ended.' }));
    const waiting = this.#waiters.join();
    this.#sleep.wake();
    return waiting;
  }

  async stop(): Promise<void> {
    this.#stop.abort();
    this.#sleep.wake();
    this.#pause.wake();
    await this.#ended;
  }

  async #run(): Promise<void> {
    const { pollMs = leaseAskMs, catchUpPauseMs: pauseMs = catchUpPauseMs } = this.#options;
    while (!this.#stop.signal.aborted) {
      const ok = await this.#round();
      if (ok) {
        if (pauseMs > 0) await this.#pause.sleep(pauseMs);
        await this.#sleep.sleep(pollMs - pauseMs);
      } else {
        await this.#pause.sleep(this.#pauseMs());
      }
    }
    this.#push.close();
    this.#enter({ kind: 'stopped' });
    this.#waiters.rejectAll(new Fault('shutting_down', { detail: 'The feed has ended.' }));
  }

  async #round(): Promise<boolean> {
    const waiting = this.#waiters.take();
    try {
      if (await this.#follow(waiting.length > 0)) {
        this.#waiters.resolve(waiting);
        this.#failures = 0;
      } else {
        this.#waiters.putBack(waiting);
      }
      return true;
    } catch (error) {
      this.#waiters.putBack(waiting);
      this.#failures += 1;
      this.#enter({ kind: 'unreachable', error });
      return false;
    }
  }

  /** One round. True when all shards that can be read stand at heads that were read after it began. */
  async #follow(fresh: boolean): Promise<boolean> {
    const { verifier, clock } = this.#options;
    if (!verifier.ready) await this.#reload();
    const p0Ms = clock.monotonicMs();
    const before = { ...verifier.applied(), view: verifier.view };
    const heads = await this.#askLease(before, fresh);
    if (heads.epoch < before.epoch) throw new OlderEpoch(before.epoch, heads.epoch);
    if (!(heads.ageMs >= 0)) throw new Error(`an answer has an age, and it is not ${heads.ageMs} ms`);
    const why = reloadReason(before, heads);
    if (why !== undefined) return this.#reloadFor(why);
    this.#push.open();
    const end = await this.#bringTo(heads);
    if (end === 'gone') return this.#reloadFor('gone');
    const behind = new Set([...heads.behind, ...end.map(({ shard }) => shard)]);
    verifier.renewLease(
      provenAtMs(p0Ms, heads.ageMs),
      [...behind].sort((a, b) => a - b),
    );
    const [first] = end;
    if (first === undefined) this.#enter({ kind: 'following' });
    else this.#enter({ kind: 'blocked', shard: first.shard, seq: first.seq, reason: first.reason });
    this.#becomeReady();
    return true;
  }

  async #askLease({ view, ...applied }: TablePlace, fresh: boolean): Promise<LeaseAnswer> {
    const { source, verifier, clock, authorityClock } = this.#options;
    const { leaseAgeMs } = verifier.stats();
    const uses = this.#options.uses?.next();
    const ask = {
      applied,
      view,
      leaseAgeMs: Number.isFinite(leaseAgeMs) ? leaseAgeMs : undefined,
      fresh,
      ...(uses === undefined ? {} : { uses }),
    };
    const askedAtMs = clock.monotonicMs();
    const answer = await this.#within(leaseAskMsMax, (signal) => source.lease(ask, signal)).catch(
      (error: unknown) => {
        if (uses !== undefined) this.#options.uses?.told(uses, 'failed');
        throw error;
      },
    );
    if (uses !== undefined) this.#options.uses?.told(uses, answer.usesTaken === true ? 'taken' : 'not_taken');
    if (answer.wall !== undefined) authorityClock?.note(answer.wall, askedAtMs, clock.monotonicMs());
    return answer;
  }

  /** Brings every shard up to these heads, and says which can't be. */
  async #bringTo(heads: Heads): Promise<'gone' | readonly BadFeedRow[]> {
    if (this.#push.stands(heads)) return [];
    await this.#push.bring(heads);
    this.#push.heard(this.#push.stands(heads));
    const bad: BadFeedRow[] = [];
    for (const [shard, head] of heads.seqs.entries()) {
      const end = await this.#reader.readTo(shard, head, this.#stop.signal);
      if (end === 'gone') return 'gone';
      if (end instanceof BadFeedRow) bad.push(end);
    }
    return bad;
  }

  /** The next round, which finds out how far the snapshot has got, follows at once. */
  async #reloadFor(why: ReloadReason): Promise<boolean> {
    // Whoever contradicts the snapshot that he has just given would be asked for one after another.
    if (this.#state.kind === 'reloading') throw new Error(`a snapshot did not help: ${why}`);
    this.#enter({ kind: 'reloading', why });
    await this.#reload();
    this.#sleep.wake();
    return false;
  }

  async #reload(): Promise<void> {
    // What was pushed goes on from another position, epoch or view: not a stretch of it may reach the new table.
    const beforeSwap = () => this.#push.close();
    await takeSnapshot({ ...this.#options, beforeSwap }, this.#stop.signal);
  }

  async #within<Result>(timeMs: number, ask: (signal: AbortSignal) => Promise<Result>): Promise<Result> {
    const overdue = new AbortController();
    const late = Promise.withResolvers<never>();
    const cancel = this.#options.timers.after(timeMs, () => {
      const error = new Error(`no answer in ${timeMs} ms`);
      overdue.abort(error);
      late.reject(error);
    });
    try {
      // Raced, for a source may not heed its signal.
      return await Promise.race([ask(AbortSignal.any([overdue.signal, this.#stop.signal])), late.promise]);
    } finally {
      cancel();
    }
  }

  #enter(state: FollowerState): void {
    const told = this.#state;
    this.#state = state;
    if (!sameState(told, state)) this.#options.onState?.(state);
  }

  #pauseMs(): number {
    const ceiling = Math.min(followerPauseMsMax, followerPauseMsMin * 2 ** Math.min(this.#failures, 16));
    return followerPauseMsMin + unitInterval(this.#options.random) * (ceiling - followerPauseMsMin);
  }
}

/**
 * `applied` is of before the heads were read: only a primary that was set back can be behind it. A relay that
 * answers with what it has applied itself may well be.
 */
function reloadReason(applied: TablePlace, heads: LeaseAnswer): ReloadReason | undefined {
  if (applied.epoch !== heads.epoch || applied.seqs.length !== heads.seqs.length) return 'epoch';
  if (applied.view !== heads.view) return 'view';
  if (!heads.fromPrimary) return undefined;
  return heads.seqs.some((head, shard) => head < (applied.seqs[shard] ?? 0)) ? 'heads_went_back' : undefined;
}

function isApplied(row: FeedRow, applied: Heads): boolean {
  return row.epoch === applied.epoch && row.seq <= (applied.seqs[row.shard] ?? 0);
}

function sameState(a: FollowerState, b: FollowerState): boolean {
  if (a.kind === 'blocked' && b.kind === 'blocked') return a.shard === b.shard && a.seq === b.seq;
  return a.kind === b.kind;
}
