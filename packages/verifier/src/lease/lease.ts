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
  /** Heads asked for up to this monotonic instant don't count; at it neither, for it may have stood still since. */
  #droppedAtMs = Number.NEGATIVE_INFINITY;

  constructor(clock: VerifierClock, jumpMsMax: number) {
    this.#clock = clock;
    this.#jumpMsMax = jumpMsMax;
    this.#offsetMs = clock.latestMs() - clock.monotonicMs();
  }

  renew(p0MonotonicMs: number): void {
    const wallMs = this.#clock.latestMs();
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
  }

  /**
   * Is the lease younger than this? `wallMs` is the latest wall time, read once the table had been read; the
   * monotonic clock is read here, last of all.
   */
  holds(leaseMs: number, wallMs: number): boolean {
    const nowMs = this.#clock.monotonicMs();
    const offsetMs = wallMs - nowMs;
    if (this.#disagrees(offsetMs)) {
      this.#recheck();
      return false;
    }
    return nowMs - this.#baseMs <= leaseMs && wallMs - this.#baseWallMs <= leaseMs;
  }

  /** What was known is known no longer: a table took over that is behind the one before it. */
  drop(): void {
    this.#baseMs = Number.NEGATIVE_INFINITY;
    this.#baseWallMs = Number.NEGATIVE_INFINITY;
  }

  /** When the heads that are relied on were asked for; -Infinity: none are. */
  get baseMs(): number {
    return this.#baseMs;
  }

  get nowMs(): number {
    return this.#clock.monotonicMs();
  }

  get ageMs(): number {
    const wallMs = this.#clock.latestMs();
    return Math.max(this.#clock.monotonicMs() - this.#baseMs, wallMs - this.#baseWallMs);
  }

  #disagrees(offsetMs: number): boolean {
    return Math.abs(offsetMs - this.#offsetMs) > this.#jumpMsMax;
  }

  /** A long pause between the two readings looks like a jump; a second pair tells them apart. */
  #recheck(): void {
    const nowMs = this.#clock.monotonicMs();
    const offsetMs = this.#clock.latestMs() - nowMs;
    if (this.#disagrees(offsetMs)) this.#dropAsOf(nowMs, offsetMs);
  }

  #dropAsOf(nowMs: number, offsetMs: number): void {
    this.drop();
    this.#droppedAtMs = nowMs;
    this.#offsetMs = offsetMs;
  }
}
