import { Fault, type FeedRow } from '@keyswarm/core';
import type {
  FeedListener,
  FeedSource,
  FeedStretch,
  FeedSubscription,
  LeaseAnswer,
  LeaseAsk,
  RowRange,
  SnapshotEnd,
  SnapshotSink,
  TablePlace,
} from '../feed/feed-source.ts';
import { factsPerTurn, staleRetryAfterMs, stretchRowsMax, wantPauseMs } from '../limits.ts';
import type { Random } from '../runtime/random.ts';
import type { Timers } from '../runtime/timers.ts';
import type { Applied, AppliedObserver, ResidentVerifier, VerifierClock } from '../verifier-port.ts';
import { FanOut } from './fan-out.ts';
import { type FeedFilter, feedView, filtered, withoutDetails } from './feed-filter.ts';
import { HeadReads } from './head-reads.ts';
import { type RecentBounds, RecentStretches } from './recent-stretches.ts';
import type { FeedOrigin } from './relay-origin.ts';
import { fitting } from './row-bytes.ts';
import { type FactsReader, readSnapshotOf, type TailedReading } from './snapshot-reading.ts';

/*
 * Feeds other verifiers from the one beside it: what that one applies is passed on, what it holds is a snapshot,
 * and how far the feed goes is asked of the primary, once for all who ask at the same time.
 *
 * For each reader it is a `FeedSource` with a filter. Rows that the filter keeps back are left out of a stretch whose
 * ends stay, so that a reader knows that it has missed nothing, and nothing of what it missed. The details of events
 * are never passed on. What it lets through has a tag, the view, which every answer tells: positions don't say what was
 * left out on the way to them, and a table that went on with rows that were cut for another reader would keep a revoked
 * key for ever. So whoever asks for rows, or to be pushed to, names the view of its table, and is given `gone` for another.
 *
 * Two origins. Beside the *primary*, a lease answer is of heads that were read after the ask, and has no age. A relay
 * behind a *relay* answers with what it has applied and the age of its own lease, which counts from before whatever
 * it has not heard of; when it has no lease, it has no answer. If its own table isn't the whole of a reader's workspace,
 * it has none either: what it lacks would look like what does not exist.
 *
 * What it trades: a bounded memory of recent rows for a reader that was away for a moment. Whoever was away for longer
 * reads the store (beside the primary) or takes a snapshot. What it is not: it knows nobody by name, and keeps no
 * reader waiting for another; who may read, how many at once, and what is known of each stands with its mounts.
 */

export interface FeedRelayOptions {
  readonly verifier: Pick<ResidentVerifier, 'applied' | 'stats' | 'quarantined' | 'ready' | 'view'> &
    FactsReader;
  readonly clock: VerifierClock;
  readonly timers: Timers;
  readonly random: Random;
  readonly origin: FeedOrigin;
  /** What is kept for readers that were away for a moment; absent: as in limits.ts. */
  readonly recent?: RecentBounds;
}

/** A source for one kind of reader, and the snapshot as a reading for whoever writes it out. */
export interface RelayedSource extends FeedSource {
  /** Undefined before the relay's own first snapshot. To be closed by whoever asked. */
  reading(): TailedReading | undefined;
  subscribe(from: TablePlace, listener: FeedListener): FeedSubscription;
  /** Of all that is given here. */
  readonly view: string;
}

export class FeedRelay implements AppliedObserver {
  readonly #options: FeedRelayOptions;
  readonly #headReads: HeadReads;
  readonly #recent: RecentStretches;
  readonly #readers = new FanOut();
  /** Reads of rows under way, by what they read: readers who miss the same rows share one. */
  readonly #rowReads = new Map<string, Promise<FeedStretch | 'gone'>>();
  #pending: FeedStretch[] = [];
  #wantedAtMs = Number.NEGATIVE_INFINITY;
  #wantIsDue = false;
  #asks = 0;

  constructor(options: FeedRelayOptions) {
    this.#options = options;
    this.#recent = new RecentStretches(options.recent);
    const { origin, verifier } = options;
    this.#headReads = new HeadReads(
      origin.kind === 'primary' ? () => origin.lease() : () => Promise.reject(noLease()),
      options.timers,
    );
    if (verifier.ready) this.#recent.reset(verifier.applied());
  }

  /** Who is told of what commits, snapshots under way included. */
  get readers(): number {
    return this.#readers.size;
  }

  /** Lease asks answered or refused, and reads of the heads that this took. */
  get counts(): { readonly asks: number; readonly headReads: number } {
    return { asks: this.#asks, headReads: this.#headReads.reads };
  }

  applied(stretch: FeedStretch): void {
    if (this.#pending.length === 0) queueMicrotask(() => this.#passOn());
    this.#pending.push(stretch);
  }

  reloaded(applied: Applied): void {
    this.#pending = [];
    this.#rowReads.clear();
    this.#recent.reset(applied);
    this.#readers.end(new Error('the relay has loaded a new table'));
  }

  /** Asks every reader to ask for its lease now, so that its position is known. */
  want(): void {
    const { clock, timers } = this.#options;
    if (this.#wantIsDue) return;
    const waitMs = this.#wantedAtMs + wantPauseMs - clock.monotonicMs();
    const tell = () => {
      this.#wantIsDue = false;
      this.#wantedAtMs = clock.monotonicMs();
      // What is wanted is usually what was applied just now: it has to go first.
      this.#passOn();
      this.#readers.wanted();
    };
    if (waitMs <= 0) {
      tell();
    } else {
      this.#wantIsDue = true;
      timers.after(waitMs, tell);
    }
  }

  /** Ends every subscription: the relay is going down, and its readers go elsewhere. */
  close(): void {
    this.#readers.end(new Fault('shutting_down', { detail: 'The relay is going down.' }));
  }

  sourceFor(filter: FeedFilter): RelayedSource {
    const view = feedView(filter);
    return {
      view,
      lease: async (ask, signal) => ({ ...(await this.#lease(filter, ask, signal)), view }),
      rows: async (shard, range) =>
        (range.view ?? view) === view ? await this.#rows(filter, shard, range) : 'gone',
      snapshot: (sink, signal) => this.#snapshot(filter, sink, signal),
      reading: () => this.#reading(filter),
      subscribe: (from, listener) => {
        if ((from.view ?? view) === view) return this.#subscribe(filter, from, listener);
        listener.ended(new Error('the relay gives this reader another part of the feed'));
        return { close() {} };
      },
    };
  }

  /**
   * Asked in the same turn as the table is read, for it may be another one in the next. Undefined: the store's own,
   * or one that was loaded from somebody who gives everything.
   */
  #assertHoldsAll({ workspaceId }: FeedFilter): void {
    const { origin, verifier } = this.#options;
    if (origin.kind === 'primary' || verifier.view === undefined) return;
    if (verifier.view === feedView({}) || verifier.view === feedView({ workspaceId })) return;
    throw new Fault('stale', {
      detail: 'This relay holds no more than a part: its credential needs feed:read and feed:read:keyswarm.',
      retryAfterMs: staleRetryAfterMs,
    });
  }

  async #lease(filter: FeedFilter, ask: LeaseAsk, signal: AbortSignal): Promise<LeaseAnswer> {
    this.#asks += 1;
    signal.throwIfAborted();
    const { origin, verifier, clock } = this.#options;
    if (origin.kind === 'primary') return await this.#headReads.ask();
    if (ask.fresh) await origin.follower.catchUp();
    this.#assertHoldsAll(filter);
    // Of one instant, together: an age from before heads that are told after would be too young.
    const { leaseAgeMs } = verifier.stats();
    if (!verifier.ready || !Number.isFinite(leaseAgeMs)) throw noLease();
    const wall = { earliestMs: clock.earliestMs(), latestMs: clock.latestMs() };
    return {
      ...verifier.applied(),
      ageMs: leaseAgeMs,
      fromPrimary: false,
      behind: verifier.quarantined,
      wall,
    };
  }

  async #rows(filter: FeedFilter, shard: number, range: RowRange): Promise<FeedStretch | 'gone'> {
    this.#assertHoldsAll(filter);
    this.#passOn();
    const { epoch } = this.#recent.heads;
    const recent = this.#recent.read(epoch, shard, range);
    if (recent !== undefined) return filtered(filter, fitting(recent));
    const found = await this.#rowsOfOrigin(shard, range);
    return found === 'gone' ? 'gone' : filtered(filter, fitting(withoutDetails(found)));
  }

  async #rowsOfOrigin(shard: number, range: RowRange): Promise<FeedStretch | 'gone'> {
    const { origin } = this.#options;
    if (origin.kind === 'relay') {
      if (!this.#recent.reaches(shard, range.after)) return 'gone';
      // The reader is as far as this relay, or further: another one has told it of rows that will come here, too.
      throw new Fault('stale', { detail: 'This relay has not got so far.', retryAfterMs: staleRetryAfterMs });
    }
    const place = `${shard} ${range.after} ${range.upTo} ${range.limit}`;
    const underWay = this.#rowReads.get(place);
    if (underWay !== undefined) return await underWay;
    const read = origin.rows(shard, range);
    this.#rowReads.set(place, read);
    try {
      return await read;
    } finally {
      if (this.#rowReads.get(place) === read) this.#rowReads.delete(place);
    }
  }

  #reading(filter: FeedFilter): TailedReading | undefined {
    const { verifier } = this.#options;
    if (!verifier.ready) return undefined;
    this.#assertHoldsAll(filter);
    // What is applied and not passed on yet is in the facts already; the tail begins after it.
    this.#passOn();
    return readSnapshotOf({
      verifier,
      filter,
      heads: verifier.applied(),
      subscribe: (listener) => this.#readers.add(filter, listener),
      headsNow: () => {
        this.#passOn();
        return this.#recent.heads;
      },
    });
  }

  async #snapshot(filter: FeedFilter, sink: SnapshotSink, signal: AbortSignal): Promise<SnapshotEnd> {
    const reading = this.#reading(filter);
    if (reading === undefined) throw noLease();
    try {
      let told = 0;
      for (const item of reading.facts) {
        if (item.kind === 'key') sink.key(item.fact);
        else if (item.kind === 'owner') sink.owner(item.fact);
        else if (item.kind === 'signingKey') sink.signingKey(item.fact);
        else sink.keyspace(item.fact);
        told += 1;
        if (told % factsPerTurn === 0) await this.#options.timers.sleep(0, signal);
      }
      signal.throwIfAborted();
      const { stretches, heads } = reading.tail();
      for (const stretch of stretches) sink.stretch(stretch);
      return { ...heads, view: reading.view };
    } finally {
      reading.close();
    }
  }

  #subscribe(filter: FeedFilter, from: TablePlace, listener: FeedListener): FeedSubscription {
    this.#assertHoldsAll(filter);
    this.#passOn();
    const { epoch, seqs } = this.#recent.heads;
    const isReached =
      from.epoch === epoch &&
      from.seqs.length === seqs.length &&
      from.seqs.every((after, shard) => this.#recent.reaches(shard, after));
    if (!isReached) {
      listener.ended(new Error('the relay holds nothing that far back'));
      return { close() {} };
    }
    const subscription = this.#readers.add(filter, listener);
    for (const [shard, end] of seqs.entries()) {
      let after = from.seqs[shard] ?? 0;
      while (after < end) {
        const missed = this.#recent.read(epoch, shard, { after, upTo: end, limit: stretchRowsMax });
        if (missed === undefined) break;
        const fits = fitting(missed);
        listener.stretch(filtered(filter, fits));
        after = fits.upTo;
      }
    }
    return subscription;
  }

  /**
   * What was applied in one turn goes out as few stretches: a commit of five hundred rows is told to this process
   * row by row, and five hundred frames to each of a thousand readers would be a storm.
   */
  #passOn(): void {
    if (this.#pending.length === 0) return;
    const pending = this.#pending;
    this.#pending = [];
    for (const stretch of joined(pending)) {
      for (let rest = withoutDetails(stretch); ; ) {
        const part = fitting(rest);
        this.#recent.add(part);
        this.#readers.stretch(part);
        if (part.upTo === rest.upTo) break;
        rest = { ...rest, after: part.upTo, rows: rest.rows.slice(part.rows.length) };
      }
    }
  }
}

/** Stretches of a shard that follow one another become one, up to a bound; the order within each shard stays. */
function joined(stretches: readonly FeedStretch[]): readonly FeedStretch[] {
  const runs: { readonly first: FeedStretch; upTo: number; readonly rows: FeedRow[] }[] = [];
  const lastOfShard = new Map<number, (typeof runs)[number]>();
  for (const stretch of stretches) {
    const last = lastOfShard.get(stretch.shard);
    const goesOn =
      last !== undefined &&
      last.first.epoch === stretch.epoch &&
      last.upTo === stretch.after &&
      last.rows.length + stretch.rows.length <= stretchRowsMax;
    if (goesOn) {
      last.rows.push(...stretch.rows);
      last.upTo = stretch.upTo;
    } else {
      const run = { first: stretch, upTo: stretch.upTo, rows: [...stretch.rows] };
      runs.push(run);
      lastOfShard.set(stretch.shard, run);
    }
  }
  return runs.map(({ first, upTo, rows }) => ({ ...first, upTo, rows }));
}

function noLease(): Fault {
  return new Fault('stale', {
    detail: 'This relay can not prove that it is fresh itself.',
    retryAfterMs: staleRetryAfterMs,
  });
}
