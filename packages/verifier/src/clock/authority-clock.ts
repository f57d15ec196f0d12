import type { WallBounds } from '../feed/feed-source.ts';
import type { VerifierClock } from '../verifier-port.ts';

/*
 * What the authority's wall clock shows now, between two bounds. Each lease answer says what it showed at some
 * instant between the question and the answer; on this machine's monotonic clock that makes an interval for the
 * difference of the two clocks, as wide as the trip took. Intervals of several answers are intersected, and widened
 * as time passes by what two clocks may drift apart. This machine's wall clock has no part in it, so that setting it
 * moves no expiry. (Marzullo's algorithm with one source; RFC 5905 bounds its error in the same way.)
 *
 * An interval that doesn't meet the one before means that the authority's clock was set, or that another machine is
 * the authority now: the newer one counts.
 *
 * Before the first answer the machine's own wall clock stands in; nothing is VALID then, for there is no lease.
 */

/** How far two clocks may drift apart: twice the 500 ppm up to which NTP slews one. */
const driftShare = 0.001;

export class AuthorityClock implements VerifierClock {
  readonly isAuthority = false;
  readonly #machine: Pick<VerifierClock, 'monotonicMs' | 'wallMs'>;
  /** Authority's wall minus this machine's monotonic clock, as of `#notedAtMs`. */
  #lowMs = Number.NEGATIVE_INFINITY;
  #highMs = Number.POSITIVE_INFINITY;
  #notedAtMs = Number.NaN;

  constructor(machine: Pick<VerifierClock, 'monotonicMs' | 'wallMs'>) {
    this.#machine = machine;
  }

  /** `wall` was read between these two instants of the monotonic clock. */
  note(wall: WallBounds, askedAtMs: number, answeredAtMs: number): void {
    if (!(askedAtMs <= answeredAtMs && wall.earliestMs <= wall.latestMs)) return;
    const lowMs = wall.earliestMs - answeredAtMs;
    const highMs = wall.latestMs - askedAtMs;
    const spreadMs = this.#spreadMs(answeredAtMs);
    const bothLowMs = Math.max(lowMs, this.#lowMs - spreadMs);
    const bothHighMs = Math.min(highMs, this.#highMs + spreadMs);
    const meet = Number.isFinite(this.#notedAtMs) && bothLowMs <= bothHighMs;
    this.#lowMs = meet ? bothLowMs : lowMs;
    this.#highMs = meet ? bothHighMs : highMs;
    this.#notedAtMs = answeredAtMs;
  }

  monotonicMs(): number {
    return this.#machine.monotonicMs();
  }

  wallMs(): number {
    return this.#machine.wallMs();
  }

  earliestMs(): number {
    const nowMs = this.#machine.monotonicMs();
    if (Number.isNaN(this.#notedAtMs)) return this.#machine.wallMs();
    return nowMs + this.#lowMs - this.#spreadMs(nowMs);
  }

  latestMs(): number {
    const nowMs = this.#machine.monotonicMs();
    if (Number.isNaN(this.#notedAtMs)) return this.#machine.wallMs();
    return nowMs + this.#highMs + this.#spreadMs(nowMs);
  }

  /** Half of how wide the bounds are, ms; +Infinity before the first answer. */
  get uncertaintyMs(): number {
    return (this.#highMs - this.#lowMs) / 2 + this.#spreadMs(this.#machine.monotonicMs());
  }

  #spreadMs(nowMs: number): number {
    return Number.isNaN(this.#notedAtMs) ? 0 : Math.max(0, nowMs - this.#notedAtMs) * driftShare;
  }
}
