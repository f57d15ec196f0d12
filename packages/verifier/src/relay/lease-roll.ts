import { Fault, leaseDriftRatio, leaseSecondsMax, type WorkspaceId } from '@keyswarm/core';
import type { Heads } from '../feed/feed-source.ts';
import {
  activeMsMax,
  downstreamNamedMax,
  namedOfCredentialMax,
  rollMax,
  rollOfCredentialMax,
  rollSlackMs,
  rollSweepMs,
  unansweredKeptMs,
} from '../limits.ts';
import type { VerifierClock } from '../verifier-port.ts';
import { HeldReach } from './held-reach.ts';
import { type Reach, wholeReach } from './reach.ts';
import { compressed, countOf, type RollReport, standsAt } from './roll-report.ts';

/*
 * Who has been given a lease here, and the least that each may stand at. Whoever waits for a change to be effective
 * everywhere goes by this, so it errs on one side only: a verifier may be further than the roll says, never less far.
 *
 *   told `applied`     it stands there, or further
 *   told `null`        it has no lease; once it was answered it may get one, and only by applying those heads
 *   not heard of       it stands where it did, and its lease may live for as long as a lease can
 *
 * A relay tells of those behind it in each ask, and stands where the least of them does. Those it has just answered
 * for the first time stand at what it answered, which is what it has applied itself.
 *
 * Whoever may ask can make up as many ids as it likes. So one credential has a share of the roll and of what is kept
 * of those behind its relays: past the first it is refused, past the second they are told of together, with the least
 * of them. An entry stays for as long as the lease that it was last given may live, and one that was never answered for
 * a moment only; it could have none from here.
 */

/** Whose it is: a credential can speak for its own verifiers only. */
export interface RollOwner {
  /** Undefined: of the process itself, which serves every workspace. */
  readonly workspaceId: WorkspaceId | undefined;
  readonly credential: string;
}

export interface RollEntry {
  readonly key: string;
  readonly owner: RollOwner;
  readonly report: RollReport;
  readonly downstream: readonly RollReport[];
  /** The least that it, or anyone behind it, may stand at; undefined: unknown. */
  readonly stands: Heads | undefined;
  /** Of which keyspaces it, or anyone behind it, may accept keys by a lease from here. The same object until it changes. */
  readonly reach: Reach;
  /** On this machine's monotonic clock, when it was last answered or asked. */
  readonly seenAtMs: number;
  /** On the same clock, until when a lease may live that it was given here. */
  readonly keptUntilMs: number;
  readonly isNew: boolean;
}

type Entry = { -readonly [Member in keyof RollEntry]: RollEntry[Member] } & { readonly held: HeldReach };

/** What one credential takes up. */
interface Share {
  entries: number;
  named: number;
}

export interface LeaseRollOptions {
  readonly clock: Pick<VerifierClock, 'monotonicMs'>;
  readonly onReport?: (entry: RollEntry) => void;
  /**
   * The longest lease that whoever is answered now may count, of the table that answers: a longer one counts only
   * from a base that the relay can give once it holds the raise (rule 8). Absent: the longest that there is.
   */
  readonly leaseMsMax?: () => number;
  /** Holds back one that is not to be forgotten yet, though its lease has ended. */
  readonly mayGo?: (entry: RollEntry) => boolean;
}

const longestLeaseMs = leaseSecondsMax * 1000;

export class LeaseRoll {
  readonly #clock: Pick<VerifierClock, 'monotonicMs'>;
  readonly #entries = new Map<string, Entry>();
  readonly #shares = new Map<string, Share>();
  readonly #onReport: (entry: RollEntry) => void;
  readonly #leaseMsMax: () => number;
  readonly #mayGo: (entry: RollEntry) => boolean;
  #sweptAtMs = Number.NEGATIVE_INFINITY;

  constructor(options: LeaseRollOptions) {
    const { clock, onReport = () => {}, leaseMsMax = () => longestLeaseMs, mayGo = () => true } = options;
    this.#clock = clock;
    this.#onReport = onReport;
    this.#leaseMsMax = leaseMsMax;
    this.#mayGo = mayGo;
  }

  get size(): number {
    return this.#entries.size;
  }

  entries(): Iterable<RollEntry> {
    return this.#entries.values();
  }

  has(key: string): boolean {
    return this.#entries.has(key);
  }

  /** Has it been heard of of late? `nowMs`: where several are asked about as of one instant. */
  isActive(entry: RollEntry, nowMs: number = this.#clock.monotonicMs()): boolean {
    return nowMs - entry.seenAtMs <= activeMsMax;
  }

  /** An ask has come. Throws `rate_limited` past the share of its credential, `overloaded` when the roll is full. */
  asked(owner: RollOwner, report: RollReport, downstream: readonly RollReport[] = []): RollEntry {
    const key = rollKey(owner, report.id);
    const known = this.#entries.get(key);
    const share = this.#shareOf(owner);
    if (known === undefined) this.#makeRoom(share);
    const seenAtMs = this.#clock.monotonicMs();
    const room = namedOfCredentialMax - share.named + (known?.downstream.length ?? 0);
    const behind = compressed(downstream, Math.min(downstreamNamedMax, Math.max(0, room)));
    const keptUntilMs = seenAtMs + unansweredKeptMs;
    if (known === undefined) {
      share.named += behind.length;
      const stands = standsAt(report.applied, behind);
      const held = new HeldReach(report.reach ?? wholeReach);
      const kept = { report, downstream: behind, stands, reach: held.all, held };
      const entry = { key, owner, ...kept, seenAtMs, keptUntilMs, isNew: true };
      share.entries += 1;
      this.#shares.set(shareKey(owner), share);
      this.#entries.set(key, entry);
      this.#onReport(entry);
      return entry;
    }
    known.held.take(report.reach ?? wholeReach, seenAtMs, this.#mayLiveUntilMs(seenAtMs));
    known.reach = known.held.all;
    // One without a table keeps what it was first answered: that is the least that a lease of it can rest on. One that
    // had a table and has lost it has begun anew, and what was known of the other is not known of this.
    const hasBegunAnew = known.report.applied !== undefined || behind.length > 0;
    if (report.applied !== undefined) known.stands = standsAt(report.applied, behind);
    else if (hasBegunAnew) known.stands = undefined;
    share.named += behind.length - known.downstream.length;
    known.report = report;
    known.downstream = behind;
    known.seenAtMs = seenAtMs;
    known.keptUntilMs = Math.max(known.keptUntilMs, keptUntilMs);
    this.#onReport(known);
    return known;
  }

  /**
   * It is answered with these heads, and may have a lease from now on. Throws `stale` for one that has been forgotten
   * meanwhile: nobody would wait for its lease.
   */
  answered(entry: RollEntry, heads: Heads): void {
    const known = this.#entries.get(entry.key);
    if (known === undefined) throw new Fault('stale', { detail: 'This ask took too long to answer.' });
    const nowMs = this.#clock.monotonicMs();
    known.seenAtMs = nowMs;
    known.keptUntilMs = Math.max(known.keptUntilMs, this.#mayLiveUntilMs(nowMs));
    known.isNew = false;
    if (known.stands === undefined && known.downstream.length === 0) known.stands = heads;
  }

  /** Forgets those whose lease can't live any more. */
  forget(): void {
    const nowMs = this.#clock.monotonicMs();
    for (const entry of this.#entries.values()) {
      if (nowMs <= entry.keptUntilMs || !this.#mayGo(entry)) continue;
      this.#entries.delete(entry.key);
      const share = this.#shareOf(entry.owner);
      share.entries -= 1;
      share.named -= entry.downstream.length;
      if (share.entries === 0) this.#shares.delete(shareKey(entry.owner));
    }
  }

  #mayLiveUntilMs(answeredAtMs: number): number {
    return answeredAtMs + this.#leaseMsMax() * (1 + leaseDriftRatio) + rollSlackMs;
  }

  #shareOf(owner: RollOwner): Share {
    return this.#shares.get(shareKey(owner)) ?? { entries: 0, named: 0 };
  }

  #makeRoom(share: Share): void {
    const isFull = () => this.#entries.size >= rollMax || share.entries >= rollOfCredentialMax;
    const nowMs = this.#clock.monotonicMs();
    // Whoever is refused comes back: the roll isn't gone through for each.
    if (isFull() && nowMs - this.#sweptAtMs > rollSweepMs) {
      this.#sweptAtMs = nowMs;
      this.forget();
    }
    if (share.entries >= rollOfCredentialMax) {
      throw new Fault('rate_limited', {
        detail: 'This relay has as many verifiers of this management key as it keeps.',
        retryAfterMs: rollSweepMs,
      });
    }
    if (this.#entries.size >= rollMax) {
      throw new Fault('overloaded', { detail: 'This relay has as many verifiers as it can keep.' });
    }
  }

  /**
   * For a relay's own asks: everyone behind it, each with the least that it may stand at and the youngest lease it may
   * hold. Past a number that one ask can carry, those furthest behind by name and the others together.
   *
   * To be called after the relay has taken the position that the same ask tells: then whoever was answered with less is
   * on the roll (SPEC.md, rule 11).
   */
  downstream(): readonly RollReport[] {
    const nowMs = this.#clock.monotonicMs();
    const all = [...this.#entries.values()].map(({ report, downstream, stands, reach, seenAtMs }) => ({
      ...report,
      reach,
      applied: stands,
      leaseAgeMs: Math.max(0, nowMs - seenAtMs),
      ...(downstream.length === 0 ? {} : { count: 1 + countOf(downstream) }),
    }));
    return compressed(all, downstreamNamedMax);
  }
}

export function rollKey({ workspaceId, credential }: RollOwner, id: string): string {
  return `${workspaceId ?? ''} ${credential} ${id}`;
}

function shareKey({ workspaceId, credential }: RollOwner): string {
  return `${workspaceId ?? ''} ${credential}`;
}
