import type { VerifierClock } from '../verifier-port.ts';
import type { LeaseTimes } from './raised-lease.ts';

/*
 * The right to say VALID. At `p0` the heads were asked for; once everything up to the answer is applied, this
 * process knows all that was acknowledged before `p0`, and may rely on it for L from then. L is the keyspace's, so
 * the lease keeps one base and is asked with each keyspace's own L.
 *
 * Why it holds: a VALID at `t` needs p0 ≥ t − L on this clock, which is at most L(1+ρ) on the authority's. If a
 * revocation was acknowledged at `a` and t > a + L(1+ρ), then p0 > a, so the heads that were read named it and it
 * has been applied. Two things have to be true for that, and are: the clock is read *after* the table, so that a
 * pause in between (a collection, a stopped process) counts as age; and the base never moves backwards.
 *
 * Age is counted on two clocks and the greater one counts. The monotonic clock can't be set back, but it stands
 * still while the machine is suspended; the wall clock runs on then. A step of the wall clock forward makes a
 * healthy lease look old for one renewal, which costs a 503; the other error would cost the promise.
 *
 * The wall time of `p0` is not read at `p0` but reckoned from the offset between the two clocks, the smaller of
 * that at the previous renewal and that of now: a machine that slept between asking and hearing the answer is so
 * charged with its sleep. (Renewals come one at a time, each asked for after the one before was granted.)
 *
 * A shard that can't be brought up to the heads (a row of it can't be read) is quarantined: the renewal leaves it
 * out, and what hangs on it (a key by its own, its owner's and its keyspace's shard) is judged by the base that the
 * shard last had. The others go on.
 *
 * When the clocks disagree by more than `jumpMsMax` since the last renewal, the lease is dropped, and only heads
 * asked for after that was noticed bring it back: a machine that was frozen or restored knows nothing of the present.
 */
export class Lease implements LeaseTimes {
  readonly #clock: VerifierClock;
  readonly #jumpMsMax: number;
  #baseMs = Number.NEGATIVE_INFINITY;
  #baseWallMs = Number.NEGATIVE_INFINITY;
  /** The latest base there ever was: no drop makes an older one count again. */
  #baseMsMax = Number.NEGATIVE_INFINITY;
  /** Wall minus monotonic, as last agreed on. */
  #offsetMs: number;
  /** Of each quarantined shard, the base of the last renewal that it had part in. Nearly always empty. */
  readonly #frozen = new Map<number, FrozenBase>();
  /** Heads asked for up to this monotonic instant don't count; at it neither, for it may have stood still since. */
  #droppedAtMs = Number.NEGATIVE_INFINITY;

  constructor(clock: VerifierClock, jumpMsMax: number) {
    this.#clock = clock;
    this.#jumpMsMax = jumpMsMax;
    this.#offsetMs = clock.wallMs() - clock.monotonicMs();
  }

  /**
   * `behind` are shards that could not be brought up to the heads. Those that were already keep the base that they
   * had; those that are so for the first time keep the one of before this renewal.
   */
  renew(p0MonotonicMs: number, behind: readonly number[] = []): void {
    if (behind.length > 0) this.#freeze(behind);
    const wallMs = this.#clock.wallMs();
    const nowMs = this.#clock.monotonicMs();
    const offsetMs = wallMs - nowMs;
    if (this.#disagrees(offsetMs)) this.#dropAsOf(nowMs, offsetMs);
    const offsetBeforeMs = this.#offsetMs;
    this.#offsetMs = offsetMs;
    // An answer from the future is no answer, and NaN is none either.
    if (!(p0MonotonicMs <= nowMs) || p0MonotonicMs <= this.#droppedAtMs) return;
    if (p0MonotonicMs <= this.#baseMs || p0MonotonicMs < this.#baseMsMax) return;
    this.#baseMs = p0MonotonicMs;
    this.#baseMsMax = p0MonotonicMs;
    this.#baseWallMs = p0MonotonicMs + Math.min(offsetBeforeMs, offsetMs);
    // Only now: an answer that is too old to count may be from before the row that can't be read.
    if (this.#frozen.size > behind.length) this.#thaw(behind);
  }

  /**
   * Is the lease younger than this? `wallMs` is this machine's wall time, read once the table had been read; the
   * monotonic clock is read here, last of all.
   */
  holds(leaseMs: number, wallMs: number): boolean {
    return this.#holdsFrom(this.#baseMs, this.#baseWallMs, leaseMs, wallMs);
  }

  /** The same for what hangs on these shards, of which some may be quarantined. */
  holdsFor(shards: readonly number[], leaseMs: number, wallMs: number): boolean {
    const base = this.#oldestOf(shards);
    return this.#holdsFrom(base.baseMs, base.baseWallMs, leaseMs, wallMs);
  }

  /** The base that counts for what hangs on these shards. */
  baseMsFor(shards: readonly number[]): number {
    return this.#oldestOf(shards).baseMs;
  }

  get hasQuarantined(): boolean {
    return this.#frozen.size > 0;
  }

  /** Ascending. */
  get quarantined(): readonly number[] {
    return [...this.#frozen.keys()].sort((a, b) => a - b);
  }

  isQuarantined(shard: number): boolean {
    return this.#frozen.has(shard);
  }

  #holdsFrom(baseMs: number, baseWallMs: number, leaseMs: number, wallMs: number): boolean {
    const nowMs = this.#clock.monotonicMs();
    const offsetMs = wallMs - nowMs;
    if (this.#disagrees(offsetMs)) {
      this.#recheck();
      return false;
    }
    return nowMs - baseMs <= leaseMs && wallMs - baseWallMs <= leaseMs;
  }

  /**
   * What was known is known no longer, and only what is asked for later brings it back: a table took over that is
   * behind the one before it. An answer that is under way was given to the one before.
   */
  dropAsOfNow(): void {
    this.#dropAsOf(this.#clock.monotonicMs(), this.#offsetMs);
  }

  /** There was nothing to know anything by. */
  drop(): void {
    this.#baseMs = Number.NEGATIVE_INFINITY;
    this.#baseWallMs = Number.NEGATIVE_INFINITY;
    for (const shard of this.#frozen.keys()) this.#frozen.set(shard, noBase);
  }

  /** When the heads that are relied on were asked for; -Infinity: none are. */
  get baseMs(): number {
    return this.#baseMs;
  }

  get nowMs(): number {
    return this.#clock.monotonicMs();
  }

  get ageMs(): number {
    const wallMs = this.#clock.wallMs();
    return Math.max(this.#clock.monotonicMs() - this.#baseMs, wallMs - this.#baseWallMs);
  }

  #freeze(behind: readonly number[]): void {
    const base = { baseMs: this.#baseMs, baseWallMs: this.#baseWallMs };
    for (const shard of behind) if (!this.#frozen.has(shard)) this.#frozen.set(shard, base);
  }

  #thaw(behind: readonly number[]): void {
    for (const shard of this.#frozen.keys()) if (!behind.includes(shard)) this.#frozen.delete(shard);
  }

  #oldestOf(shards: readonly number[]): FrozenBase {
    let oldest: FrozenBase = { baseMs: this.#baseMs, baseWallMs: this.#baseWallMs };
    for (const shard of shards) {
      const frozen = this.#frozen.get(shard);
      if (frozen !== undefined && frozen.baseMs < oldest.baseMs) oldest = frozen;
    }
    return oldest;
  }

  #disagrees(offsetMs: number): boolean {
    return Math.abs(offsetMs - this.#offsetMs) > this.#jumpMsMax;
  }

  /** A long pause between the two readings looks like a jump; a second pair tells them apart. */
  #recheck(): void {
    const nowMs = this.#clock.monotonicMs();
    const offsetMs = this.#clock.wallMs() - nowMs;
    if (this.#disagrees(offsetMs)) this.#dropAsOf(nowMs, offsetMs);
  }

  #dropAsOf(nowMs: number, offsetMs: number): void {
    this.drop();
    this.#droppedAtMs = nowMs;
    this.#offsetMs = offsetMs;
  }
}

/** What a quarantined shard was last proven at. */
interface FrozenBase {
  readonly baseMs: number;
  readonly baseWallMs: number;
}

const noBase: FrozenBase = Object.freeze({
  baseMs: Number.NEGATIVE_INFINITY,
  baseWallMs: Number.NEGATIVE_INFINITY,
});
