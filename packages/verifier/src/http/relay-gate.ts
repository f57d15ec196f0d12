import { OlderEpoch } from '../follow/follower-state.ts';
import {
  olderEpochPauseMs,
  refusedPauseMs,
  relayPauseMsMax,
  relayPauseMsMin,
  retryAfterMsMax,
} from '../limits.ts';
import { type Random, unitInterval } from '../runtime/random.ts';
import { RelayBusy, RelayGone, RelayRefused } from './relay-errors.ts';

/** What is asked of a relay. A snapshot that has to wait for its turn keeps no lease from being renewed. */
export type Errand = 'ask' | 'snapshot';

/**
 * When one relay may be asked again. A refusal stands for long, for only a person can lift it; a busy relay names its
 * time; anything else is tried again soon, a failure later each time. A part of all of it is drawn at random, so that a thousand verifiers that lost the same relay don't come back at once.
 */
export class RelayGate {
  readonly #random: Random;
  readonly #notBeforeMs: Record<Errand, number> = {
    ask: Number.NEGATIVE_INFINITY,
    snapshot: Number.NEGATIVE_INFINITY,
  };
  readonly #errors: Record<Errand, unknown> = { ask: undefined, snapshot: undefined };
  #failures = 0;

  constructor(random: Random) {
    this.#random = random;
  }

  isOpen(errand: Errand, nowMs: number): boolean {
    return nowMs >= this.#notBeforeMs[errand] && nowMs >= this.#notBeforeMs.ask;
  }

  opensAtMs(errand: Errand): number {
    return Math.max(this.#notBeforeMs[errand], this.#notBeforeMs.ask);
  }

  /** Shut by its own word: nothing is asked before, even where there is nobody else to ask. */
  isBarred(errand: Errand, nowMs: number): boolean {
    const bars = (shut: Errand) => nowMs < this.#notBeforeMs[shut] && isWord(this.#errors[shut]);
    return bars(errand) || bars('ask');
  }

  /** Why it is shut, or what happened last. */
  errorOf(errand: Errand): unknown {
    return this.#errors[errand] ?? this.#errors.ask;
  }

  /** 401, 403 or 404 was its last word. */
  get isRefused(): boolean {
    return this.#errors.ask instanceof RelayRefused;
  }

  succeeded(errand: Errand): void {
    this.#failures = 0;
    this.#errors[errand] = undefined;
    this.#notBeforeMs[errand] = Number.NEGATIVE_INFINITY;
    if (errand === 'snapshot') this.succeeded('ask');
  }

  failed(errand: Errand, error: unknown, nowMs: number): void {
    this.#failures += 1;
    // Whom a relay refuses, it refuses everything; busy with snapshots it may still answer for the lease.
    const shut: Errand = error instanceof RelayRefused ? 'ask' : errand;
    this.#errors[shut] = error;
    this.#notBeforeMs[shut] = nowMs + this.#pauseMs(error);
  }

  #pauseMs(error: unknown): number {
    const chance = unitInterval(this.#random);
    // Never sooner than it asked for.
    if (error instanceof RelayBusy && error.retryAfterMs !== undefined)
      return Math.min(error.retryAfterMs, retryAfterMsMax) * (1 + chance / 4);
    return this.#pauseMsMax(error) * (0.5 + chance / 2);
  }

  #pauseMsMax(error: unknown): number {
    if (error instanceof RelayRefused) return refusedPauseMs;
    if (error instanceof OlderEpoch) return olderEpochPauseMs;
    // Another kind of question is the answer to this one.
    if (error instanceof RelayGone) return 0;
    return Math.min(relayPauseMsMax, relayPauseMsMin * 2 ** Math.min(this.#failures - 1, 16));
  }
}

/** A refusal, or a time that it named. One that is busy and names none is treated as one that failed. */
function isWord(error: unknown): boolean {
  return error instanceof RelayRefused || (error instanceof RelayBusy && error.retryAfterMs !== undefined);
}
