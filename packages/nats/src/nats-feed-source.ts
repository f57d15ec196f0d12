import type { Secret } from '@keyswarm/core';
import type {
  FeedListener,
  FeedSource,
  FeedStretch,
  FeedSubscription,
  FeedView,
  Heads,
  LeaseAnswer,
  LeaseAsk,
  RowRange,
  SnapshotSink,
  TablePlace,
} from '@keyswarm/verifier';
import type { LeaseRequest } from '@keyswarm/verifier/lease-messages';
import type { Timers } from '@keyswarm/verifier/timers';
import { askLease, askRows, type NatsAsker } from './ask-over-nats.ts';
import { hedge } from './hedge.ts';
import { KnownKeyspaces } from './known-keyspaces.ts';
import {
  agingMs,
  answerMsMax,
  beatMs,
  freshEnoughMs,
  hedgeMs,
  moveBeats,
  rowsMsMax,
  viewsKnownMax,
  wantedAsks,
} from './limits.ts';
import type { NatsLink } from './nats-link.ts';
import { NatsPush, type PushProgress } from './nats-push.ts';
import { defaultPrefix, subjectsOf } from './subjects.ts';

/*
 * The feed by way of a broker, beside a relay. NATS brings rows as they commit and answers asks for the lease; the
 * relay gives snapshots, says what this verifier may read, and does everything when NATS doesn't:
 *
 *   lease      NATS; the relay too when NATS is late or the lease is aging; the fresher answer counts
 *   rows       the relay; NATS when that is late or away, and then only keyspaces that are known to be readable
 *   snapshot   the relay
 *   subscribe  NATS; the relay while NATS is silent
 *
 * Each answer carries its own proof (heads that were read after it was asked for, or its age), so it does not matter
 * by which way it came. What may be read is learnt for one view at a time: a table is loaded, read for and pushed to by
 * what is known of its own view, and never by that of another.
 */

export interface NatsFeedSourceOptions {
  readonly link: NatsLink;
  /** A relay, or whatever else can do all of it. */
  readonly fallback: FeedSource;
  /**
   * The verifier's own, as its relay knows it: whoever answers over NATS asks the same of it. It goes over the
   * broker in a header, so the way there has to be TLS, and only servers may listen where it is sent.
   */
  readonly credential?: Secret | undefined;
  readonly timers: Timers;
  /** `keyswarm` unless said otherwise. */
  readonly prefix?: string | undefined;
  /** Of JetStream, where it isn't the one of the server that is connected to: behind a leaf. */
  readonly domain?: string | undefined;
  /** Who asks, as it is told to a relay; for a relay with whom it feeds. */
  readonly identity: () => Omit<LeaseRequest, 'ask'>;
  readonly beatMs?: number;
}

/** Counted since the beginning, for metrics. */
export type NatsFeedStats = Readonly<Omit<PushProgress, 'moveAtBeats'>> & {
  readonly leasesByNats: number;
  readonly leasesByFallback: number;
};

export interface NatsFeedSource extends FeedSource {
  subscribe(from: TablePlace, listener: FeedListener): FeedSubscription;
  readonly stats: NatsFeedStats;
}

export function createNatsFeedSource(options: NatsFeedSourceOptions): NatsFeedSource {
  return new BrokeredFeed(options);
}

class BrokeredFeed implements NatsFeedSource {
  readonly #options: NatsFeedSourceOptions;
  readonly #asker: NatsAsker;
  /** By view: of the table that serves, and of one that is loaded to take its place. The oldest first. */
  readonly #known = new Map<FeedView, KnownKeyspaces>();
  readonly #progress: PushProgress = {
    streamSeq: undefined,
    received: 0,
    caughtUp: 0,
    withheld: 0,
    unreadable: 0,
    recreations: 0,
    moves: 0,
    silentBeats: 0,
    moveAtBeats: moveBeats,
  };
  readonly #leases = { leasesByNats: 0, leasesByFallback: 0 };
  /** Asks to come that are made both ways, whatever NATS answers. */
  #asksToAll = 0;
  /** As the verifier last said it. */
  #applied: Heads | undefined;

  constructor(options: NatsFeedSourceOptions) {
    this.#options = options;
    const { link, credential, prefix = defaultPrefix } = options;
    this.#asker = { link, credential, subjects: subjectsOf(prefix), server: undefined };
  }

  get stats(): NatsFeedStats {
    return { ...this.#progress, ...this.#leases };
  }

  lease(ask: LeaseAsk, signal: AbortSignal): Promise<LeaseAnswer> {
    this.#applied = ask.applied ?? this.#applied;
    const { timers, fallback, identity } = this.#options;
    const isAging = ask.leaseAgeMs === undefined || ask.leaseAgeMs > agingMs;
    const byFallback = async (until: AbortSignal) => {
      const answer = await fallback.lease(ask, until);
      this.#leases.leasesByFallback += 1;
      return answer;
    };
    const told = this.#asksToAll > 0 ? byFallback(signal) : undefined;
    this.#asksToAll = Math.max(0, this.#asksToAll - 1);
    told?.catch(() => undefined);
    return hedge(
      {
        timers,
        first: async () => {
          const answer = await askLease(this.#asker, { ...identity(), ask });
          this.#leases.leasesByNats += 1;
          return answer;
        },
        second: (until) => told ?? byFallback(until),
        delayMs: isAging ? 0 : hedgeMs,
        msMax: answerMsMax,
        isGood: (answer) =>
          isFresh(answer) &&
          answer.behind.length === 0 &&
          answer.epoch >= (ask.applied?.epoch ?? 0) &&
          answer.view === ask.view,
        isBetter: (a, b) => isBetterFor(ask.view, a, b),
      },
      signal,
    );
  }

  rows(shard: number, range: RowRange, signal: AbortSignal): Promise<FeedStretch | 'gone'> {
    const { timers, fallback, identity } = this.#options;
    const known = this.#knownOf(range.view);
    return hedge(
      {
        timers,
        first: async (until) => {
          const stretch = await fallback.rows(shard, range, until);
          if (stretch !== 'gone') known.heard(stretch);
          return stretch;
        },
        second: async () => {
          const asker = { ...this.#asker, keyspaces: identity().keyspaces };
          return readable(known, await askRows(asker, shard, range));
        },
        delayMs: hedgeMs,
        msMax: rowsMsMax,
        isGood: () => true,
        isBetter: () => true,
      },
      signal,
    );
  }

  async snapshot(sink: SnapshotSink, signal: AbortSignal) {
    const known = new KnownKeyspaces();
    const end = await this.#options.fallback.snapshot(known.heardIn(sink), signal);
    // The push to the table that still serves keeps what it had.
    this.#keep(end.view, known);
    return end;
  }

  subscribe(from: TablePlace, listener: FeedListener): FeedSubscription {
    const known = this.#knownOf(from.view);
    const { link, timers, fallback, domain } = this.#options;
    return new NatsPush({
      link,
      domain,
      subjects: this.#asker.subjects,
      timers,
      beatMs: this.#options.beatMs ?? beatMs,
      known,
      listener: {
        stretch: (stretch) => listener.stretch(stretch),
        // The relay may have heard of this verifier before NATS did, and waits for it as well.
        wanted: () => {
          this.#asksToAll = wantedAsks;
          listener.wanted();
        },
        ended: (error) => listener.ended(error),
      },
      progress: this.#progress,
      otherPush: () => {
        const { epoch, seqs } = this.#applied ?? from;
        return pushByFallback(fallback, { from: { epoch, seqs, view: from.view }, known, listener });
      },
    });
  }

  #knownOf(view: FeedView): KnownKeyspaces {
    return this.#known.get(view) ?? this.#keep(view, new KnownKeyspaces());
  }

  #keep(view: FeedView, known: KnownKeyspaces): KnownKeyspaces {
    this.#known.delete(view);
    this.#known.set(view, known);
    for (const oldest of this.#known.keys()) {
      if (this.#known.size <= viewsKnownMax) break;
      this.#known.delete(oldest);
    }
    return known;
  }
}

function isFresh({ ageMs }: LeaseAnswer): boolean {
  return ageMs <= freshEnoughMs;
}

/** The fresher one; of two that are fresh, the one that fits the table: the other may not have heard of a change yet. */
function isBetterFor(view: FeedView, a: LeaseAnswer, b: LeaseAnswer): boolean {
  if (a.epoch !== b.epoch) return a.epoch > b.epoch;
  if (isFresh(a) && isFresh(b) && (a.view === view) !== (b.view === view)) return a.view === view;
  return a.ageMs < b.ageMs;
}

/** What NATS answers is cut before the first row of which it isn't known whose it is, whoever answered. */
function readable(known: KnownKeyspaces, stretch: FeedStretch | 'gone'): FeedStretch | 'gone' {
  if (stretch === 'gone') return 'gone';
  const start = known.admittedStart(stretch);
  if (start === undefined) throw new Error('only the relay can say whether these rows may be read');
  return start;
}

interface OtherPush {
  readonly from: TablePlace;
  readonly known: KnownKeyspaces;
  readonly listener: FeedListener;
}

/** Its end is not the subscription's: NATS may be back, or it is subscribed to again at the next silence. */
function pushByFallback(
  fallback: FeedSource,
  { from, known, listener }: OtherPush,
): FeedSubscription | undefined {
  return fallback.subscribe?.(from, {
    stretch: (stretch) => {
      known.heard(stretch);
      listener.stretch(stretch);
    },
    wanted: () => listener.wanted(),
    ended: () => undefined,
  });
}
