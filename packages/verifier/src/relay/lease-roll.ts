import type { WorkspaceId } from '@keyswarm/core';
import type { Heads } from '../feed/feed-source.ts';
import { activeMsMax, rollMax } from '../limits.ts';
import type { VerifierClock } from '../verifier-port.ts';

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
 */

export interface RollIdentity {
  readonly id: string;
  readonly name: string;
  readonly region?: string | undefined;
  readonly kind: 'server' | 'library' | 'node' | 'relay';
}

export interface RollReport extends RollIdentity {
  readonly applied: Heads | undefined;
  readonly leaseAgeMs: number | undefined;
}

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
  /** On this machine's monotonic clock, when it was last answered or asked. */
  readonly seenAtMs: number;
  readonly isNew: boolean;
}

type Entry = { -readonly [Member in keyof RollEntry]: RollEntry[Member] };

export class LeaseRoll {
  readonly #clock: Pick<VerifierClock, 'monotonicMs'>;
  readonly #entries = new Map<string, Entry>();
  readonly #onReport: () => void;

  constructor(clock: Pick<VerifierClock, 'monotonicMs'>, onReport: () => void = () => {}) {
    this.#clock = clock;
    this.#onReport = onReport;
  }

  get size(): number {
    return this.#entries.size;
  }

  entries(): Iterable<RollEntry> {
    return this.#entries.values();
  }

  /** Has it been heard of of late? */
  isActive(entry: RollEntry): boolean {
    return this.#clock.monotonicMs() - entry.seenAtMs <= activeMsMax;
  }

  /** An ask has come. Undefined when the roll is full. */
  asked(owner: RollOwner, report: RollReport, downstream: readonly RollReport[] = []): RollEntry | undefined {
    const key = rollKey(owner, report.id);
    const known = this.#entries.get(key);
    if (known === undefined && this.#entries.size >= rollMax) return undefined;
    const seenAtMs = this.#clock.monotonicMs();
    if (known === undefined) {
      const entry: Entry = { key, owner, report, downstream, stands: undefined, seenAtMs, isNew: true };
      entry.stands = standsAt(report.applied, downstream);
      this.#entries.set(key, entry);
      this.#onReport();
      return entry;
    }
    known.report = report;
    known.downstream = downstream;
    known.seenAtMs = seenAtMs;
    // One without a table keeps what it was first answered: that is the least that a lease of it can rest on.
    if (report.applied !== undefined) known.stands = standsAt(report.applied, downstream);
    this.#onReport();
    return known;
  }

  /** It is answered with these heads, and may have a lease from now on. */
  answered(entry: RollEntry, heads: Heads): void {
    const known = this.#entries.get(entry.key);
    if (known === undefined) return;
    known.seenAtMs = this.#clock.monotonicMs();
    known.isNew = false;
    if (known.stands === undefined && known.downstream.length === 0) known.stands = heads;
  }

  /** Forgets those of whom nothing was heard for so long. */
  forget(olderThanMs: number): void {
    const nowMs = this.#clock.monotonicMs();
    for (const [key, { seenAtMs }] of this.#entries) {
      if (nowMs - seenAtMs > olderThanMs) this.#entries.delete(key);
    }
  }

  /** For a relay's own asks: everyone behind it, each with the least that it may stand at and the youngest lease it may hold. */
  downstream(): readonly RollReport[] {
    const nowMs = this.#clock.monotonicMs();
    return [...this.#entries.values()].map(({ report, stands, seenAtMs }) => ({
      ...report,
      applied: stands,
      leaseAgeMs: Math.max(0, nowMs - seenAtMs),
    }));
  }
}

export function rollKey({ workspaceId, credential }: RollOwner, id: string): string {
  return `${workspaceId ?? ''} ${credential} ${id}`;
}

/** Shard by shard the least of all; undefined when that of one is unknown or of another epoch. */
export function standsAt(
  own: Heads | undefined,
  others: readonly Pick<RollReport, 'applied'>[],
): Heads | undefined {
  if (own === undefined) return undefined;
  const seqs = [...own.seqs];
  for (const { applied } of others) {
    if (applied === undefined || applied.epoch !== own.epoch || applied.seqs.length !== seqs.length)
      return undefined;
    for (const [shard, seq] of applied.seqs.entries()) seqs[shard] = Math.min(seq, seqs[shard] ?? 0);
  }
  return { epoch: own.epoch, seqs };
}
