import type {
  FeedListener,
  FeedSource,
  FeedStretch,
  FeedSubscription,
  FeedView,
  LeaseAnswer,
  LeaseAsk,
  RowRange,
  SnapshotEnd,
  SnapshotSink,
  TablePlace,
} from '../feed/feed-source.ts';
import { BadFeedRow } from '../follow/bad-feed-row.ts';
import { OlderEpoch } from '../follow/follower-state.ts';
import { betterAnswerMs, relaysMax, secondAskMs } from '../limits.ts';
import { type Random, unitInterval } from '../runtime/random.ts';
import type { Timers } from '../runtime/timers.ts';
import type { VerifierClock } from '../verifier-port.ts';
import { AppliedMarks } from './applied-marks.ts';
import { RelayUnreachable } from './relay-errors.ts';
import { type Errand, RelayGate } from './relay-gate.ts';

/*
 * Several relays as one source. It keeps to one of them as long as that answers, so that a thousand verifiers don't
 * wander; when it fails or lags the next one is asked, and kept to.
 *
 * Relays may be mixed freely, a lease from one and rows from another: a position is epoch, shard and number, given by
 * the primary, and says the same thing whoever tells it. Every proof is carried by one answer alone (these heads, this
 * age); who brings the rows up to those heads is of no account. What a position doesn't say is which rows were left out
 * on the way: rows and streams are asked for by the view of the table, and a relay that gives another one has none.
 * Two that give different views, while one of them has not heard of a change of the credential yet, can't make the
 * table go to and fro: of two answers the one that fits the table counts, unless it is the older one.
 *
 * An answer, or rows, are awaited from one relay for `secondAskMs`, then from a second one as well, and from two at once when the
 * lease is aging: whichever proves more counts. A relay of an older epoch than was applied stands on a primary that was
 * replaced, and one whose answer contradicts what was applied from others (`AppliedMarks`) says what can't be: both are
 * left alone for a while. What a relay can't read (`BadFeedRow`) is asked of another one before it is believed.
 *
 * What it is not: it proves nothing itself, and it repeats no snapshot, since half of one has been handed on by then.
 */

export interface PooledRelay {
  /** For logs; the origin of its URL. */
  readonly name: string;
  readonly source: FeedSource;
}

export interface RelayPoolOptions {
  readonly relays: readonly PooledRelay[];
  readonly clock: Pick<VerifierClock, 'monotonicMs'>;
  readonly timers: Timers;
  readonly random: Random;
  /** From which lease age on two relays are asked; Infinity: never. */
  readonly agingAfterMs?: (() => number) | undefined;
  /** Told when another relay is kept to. Must not throw. */
  readonly onMove?: ((move: RelayMove) => void) | undefined;
}

export interface RelayMove {
  readonly from: string;
  readonly to: string;
  readonly error: unknown;
}

export interface RelayPool extends FeedSource {
  subscribe(from: TablePlace, listener: FeedListener): FeedSubscription;
  /** The name of the relay that is kept to. */
  readonly current: string;
  /** How often another one was moved to. */
  readonly moves: number;
  /** Every relay's last word was a refusal: somebody has to change something. */
  readonly isRefused: boolean;
}

/** @throws {RangeError} without a relay, or with more than `relaysMax`. */
export function createRelayPool(options: RelayPoolOptions): RelayPool {
  return new PooledRelays(options);
}

interface Member extends PooledRelay {
  readonly gate: RelayGate;
}

class PooledRelays implements RelayPool {
  readonly #options: RelayPoolOptions;
  readonly #members: readonly Member[];
  readonly #marks = new AppliedMarks();
  readonly #subscriptions = new Set<{ readonly member: Member; readonly end: (error: unknown) => void }>();
  #current: Member;
  #moves = 0;

  constructor(options: RelayPoolOptions) {
    this.#options = options;
    this.#members = options.relays.map((relay) => ({ ...relay, gate: new RelayGate(options.random) }));
    const start = Math.floor(unitInterval(options.random) * this.#members.length);
    const first = this.#members[start];
    if (first === undefined || this.#members.length > relaysMax)
      throw new RangeError(`a verifier follows 1 to ${relaysMax} relays`);
    // Not all begin with the first that is named: so they spread over the relays.
    this.#current = first;
  }

  get current(): string {
    return this.#current.name;
  }

  get moves(): number {
    return this.#moves;
  }

  get isRefused(): boolean {
    return this.#members.every(({ gate }) => gate.isRefused);
  }

  async lease(ask: LeaseAsk, signal: AbortSignal): Promise<LeaseAnswer> {
    const [first, second] = this.#open('ask');
    if (first === undefined) throw this.#shut('ask');
    if (second === undefined) return this.#leaseOf(first, ask, signal);
    const { agingAfterMs } = this.#options;
    const isAging =
      agingAfterMs !== undefined && (ask.leaseAgeMs ?? Number.POSITIVE_INFINITY) > agingAfterMs();
    return this.#leaseOfTwo([first, second], { ask, signal, isAging });
  }

  async rows(shard: number, range: RowRange, signal: AbortSignal): Promise<FeedStretch | 'gone'> {
    const [first, second] = this.#open('ask');
    if (first === undefined) throw this.#shut('ask');
    const read = (member: Member) =>
      this.#try(member, 'ask', () => member.source.rows(shard, range, signal)).then(
        (found): RowsTold => ({ found }),
        (error: unknown): RowsTold => ({ error }),
      );
    const ofFirst = read(first);
    if (second === undefined) return rowsOf(await ofFirst, undefined);
    // A round waits for its rows, and the lease with it: one that hangs with its sockets open must not hold it up.
    const early = await within(this.#options.timers, this.#secondAskMs(), ofFirst);
    if (early !== undefined && isStretch(early)) return early.found;
    if (signal.aborted) throw signal.reason;
    const ofSecond = read(second);
    const quicker = early === undefined ? await Promise.race([ofFirst, ofSecond]) : await ofSecond;
    if (isStretch(quicker)) return quicker.found;
    return rowsOf(await ofFirst, await ofSecond);
  }

  async snapshot(sink: SnapshotSink, signal: AbortSignal): Promise<SnapshotEnd> {
    const [member] = this.#open('snapshot');
    if (member === undefined) throw this.#shut('snapshot');
    const end = await this.#try(member, 'snapshot', () => member.source.snapshot(sink, signal));
    this.#settleOn(member, undefined);
    return end;
  }

  subscribe(from: TablePlace, listener: FeedListener): FeedSubscription {
    const member = this.#current;
    let inner: FeedSubscription | undefined;
    const entry = { member, end: (error: unknown) => end(error) };
    const close = () => {
      this.#subscriptions.delete(entry);
      inner?.close();
    };
    const end = (error: unknown) => {
      if (!this.#subscriptions.has(entry)) return;
      close();
      listener.ended(error);
    };
    this.#subscriptions.add(entry);
    inner = member.source.subscribe?.(from, {
      stretch: (stretch) => listener.stretch(stretch),
      wanted: () => listener.wanted(),
      ended: end,
    });
    return { close };
  }

  /** Whom to ask, the one that is kept to before the others. */
  #open(errand: Errand): readonly Member[] {
    const nowMs = this.#options.clock.monotonicMs();
    const at = this.#members.indexOf(this.#current);
    const inOrder = [...this.#members.slice(at), ...this.#members.slice(0, at)];
    const open = inOrder.filter(({ gate }) => gate.isOpen(errand, nowMs));
    // One that merely failed is asked when there is no other: the follower's own pause is between two rounds.
    const failed = inOrder.filter((member) => !open.includes(member) && !member.gate.isBarred(errand, nowMs));
    return [...open, ...failed];
  }

  /** Nobody may be asked now: the word of the one that may be soonest. */
  #shut(errand: Errand): unknown {
    const byTime = [...this.#members].sort((a, b) => a.gate.opensAtMs(errand) - b.gate.opensAtMs(errand));
    return byTime[0]?.gate.errorOf(errand) ?? new RelayUnreachable(this.current, 'left alone for now');
  }

  async #leaseOfTwo([first, second]: readonly [Member, Member], asked: Asked): Promise<LeaseAnswer> {
    const { timers } = this.#options;
    const heard: Outcome[] = [];
    const ask = (member: Member) => this.#outcomeOf(member, asked).then((told) => heard.push(told));
    const ofFirst = ask(first);
    if (!asked.isAging) await within(timers, this.#secondAskMs(), ofFirst);
    if (!heard.some(isGood)) {
      if (asked.signal.aborted) throw asked.signal.reason;
      const ofSecond = ask(second);
      await Promise.race([ofFirst, ofSecond]);
      if (heard.some(isGood)) await within(timers, betterAnswerMs, Promise.all([ofFirst, ofSecond]));
      else await Promise.all([ofFirst, ofSecond]);
    }
    // In the order of asking, so that of two that prove the same the one that is kept to counts.
    const good = [first, second].flatMap((member) =>
      heard.filter((told) => told.member === member).filter(isGood),
    );
    const best = good.reduce<Good | undefined>(
      (sofar, told) =>
        sofar !== undefined && !provesMore(told.answer, sofar.answer, asked.ask.view) ? sofar : told,
      undefined,
    );
    if (best === undefined) throw heard.find((told) => told.member === first && !isGood(told))?.error;
    this.#settleOn(best.member, heard.find((told) => told.member !== best.member)?.error);
    return best.answer;
  }

  /** Spread, for the others that lost this relay wait for it just now, too. */
  #secondAskMs(): number {
    return secondAskMs * (0.75 + unitInterval(this.#options.random) / 2);
  }

  #outcomeOf(member: Member, { ask, signal }: Asked): Promise<Outcome> {
    return this.#leaseOf(member, ask, signal).then(
      (answer) => ({ member, answer, error: undefined }),
      (error: unknown) => ({ member, answer: undefined, error }),
    );
  }

  #leaseOf(member: Member, ask: LeaseAsk, signal: AbortSignal): Promise<LeaseAnswer> {
    const p0Ms = this.#options.clock.monotonicMs();
    if (ask.applied !== undefined) this.#marks.note(p0Ms, ask.applied);
    return this.#try(member, 'ask', async () => {
      const answer = await member.source.lease(ask, signal);
      const known = ask.applied?.epoch ?? 0;
      if (answer.epoch < known) throw new OlderEpoch(known, answer.epoch);
      this.#marks.check(p0Ms, answer);
      return answer;
    });
  }

  async #try<Result>(member: Member, errand: Errand, ask: () => Promise<Result>): Promise<Result> {
    try {
      const result = await ask();
      member.gate.succeeded(errand);
      return result;
    } catch (error) {
      // A row that can't be read is no fault of who tells so.
      if (!(error instanceof BadFeedRow)) this.#failed(member, errand, error);
      throw error;
    }
  }

  #failed(member: Member, errand: Errand, error: unknown): void {
    member.gate.failed(errand, error, this.#options.clock.monotonicMs());
    if (member !== this.#current) return;
    const nowMs = this.#options.clock.monotonicMs();
    const next = this.#open(errand).find(({ gate }) => gate.isOpen(errand, nowMs));
    if (next !== undefined) this.#settleOn(next, error);
  }

  /** What was pushed from the one before ends; the follower subscribes anew, from where it stands. */
  #settleOn(member: Member, error: unknown): void {
    const before = this.#current;
    if (member === before) return;
    this.#current = member;
    this.#moves += 1;
    for (const entry of [...this.#subscriptions])
      if (entry.member !== member)
        entry.end(error ?? new RelayUnreachable(before.name, 'left for another relay'));
    this.#options.onMove?.({ from: before.name, to: member.name, error });
  }
}

interface Asked {
  readonly ask: LeaseAsk;
  readonly signal: AbortSignal;
  readonly isAging: boolean;
}

interface Outcome {
  readonly member: Member;
  readonly answer: LeaseAnswer | undefined;
  readonly error: unknown;
}

interface Good extends Outcome {
  readonly answer: LeaseAnswer;
}

function isGood(outcome: Outcome): outcome is Good {
  return outcome.answer !== undefined;
}

/**
 * A newer epoch counts for more than anything of an older one. Then the younger proof, unless the two are about as old
 * and only one of them is of the table's view, or leaves out fewer shards.
 */
function provesMore(a: LeaseAnswer, b: LeaseAnswer, view: FeedView): boolean {
  if (a.epoch !== b.epoch) return a.epoch > b.epoch;
  const isAsOld = Math.abs(a.ageMs - b.ageMs) < sameAgeMs;
  if (isAsOld && (a.view === view) !== (b.view === view)) return a.view === view;
  if (isAsOld && a.behind.length !== b.behind.length) return a.behind.length < b.behind.length;
  return a.ageMs < b.ageMs;
}

const sameAgeMs = 1_000;

type RowsTold =
  | { readonly found: FeedStretch | 'gone'; readonly error?: undefined }
  | { readonly found?: undefined; readonly error: unknown };

function isStretch(told: RowsTold): told is { readonly found: FeedStretch } {
  return told.found !== undefined && told.found !== 'gone';
}

/** Of what two relays told: the rows, if one has them. Another one may hold rows further back, and spare a snapshot. */
function rowsOf(first: RowsTold, second: RowsTold | undefined): FeedStretch | 'gone' {
  if (isStretch(first)) return first.found;
  if (second !== undefined && isStretch(second)) return second.found;
  if (first.found === 'gone') return 'gone';
  if (second?.found === 'gone') return 'gone';
  // That a row can't be read says more than that somebody can't be reached.
  throw second?.error instanceof BadFeedRow ? second.error : first.error;
}

/** What came in time; undefined: nothing did. */
async function within<Result>(
  timers: Timers,
  timeMs: number,
  awaited: Promise<Result>,
): Promise<Result | undefined> {
  const { promise, resolve } = Promise.withResolvers<undefined>();
  const cancel = timers.after(timeMs, () => resolve(undefined));
  const came = await Promise.race([awaited, promise]);
  cancel();
  return came;
}
