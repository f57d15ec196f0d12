import type { KeyId } from '@keyswarm/core';
import type { ServerConfig } from '../config/config-schema.ts';
import { crowdOfMutationsMin, holderInFlightMax, sharesMax, writeWaitMsMax } from '../limits.ts';
import type { ServerMetrics, ShedReason } from '../metrics/server-metrics.ts';

/*
 * Who may come in. Overload is shed here, before a body is read or a key is looked up, and never by skipping a
 * check further in (P6). There are two budgets besides the total: verifications have one of their own, so that no
 * amount of issuance, listing or a slow store keeps an access point from its verdict. One management key gets a
 * share, so that a client in a loop stops itself and not its neighbours. Bytes of bodies are counted as well,
 * since four thousand requests are nothing and four thousand bulk bodies are 32 GB.
 *
 * A bound on how many are inside says nothing of how long they stay: a thousand writes are a tenth of a second to one
 * store and a whole one to another, and whoever waits longer than their patience has been worked for in vain. So while
 * a crowd is inside and the writes that wait have waited for long, no further one is let in.
 *
 * A request holds its place until its response is closed, answered or not, so a client that went away does not
 * leak one.
 */

export type Budget = 'verifications' | 'mutations';

/** The place that a request holds; given back exactly once. */
export interface Place {
  readonly budget: Budget;
  readonly bodyBytes: number;
  share: Share | undefined;
}

/**
 * Whose share it is: a management key's; that of the holder of any key, who has little to ask; or that of an
 * enrollment key, which a whole fleet presents at once, but which must leave managers a way in.
 */
export type ShareOf = 'manager' | 'holder' | 'enrollment';

/** What one key has under way. */
interface Share {
  inFlight: number;
  bodyBytes: number;
}

type Limits = Pick<
  ServerConfig,
  | 'requestsInFlightMax'
  | 'verificationsInFlightMax'
  | 'mutationsInFlightMax'
  | 'callerInFlightMax'
  | 'bodyBytesInFlightMax'
>;

export class Admission {
  readonly #limits: Limits;
  readonly #metrics: Pick<ServerMetrics, 'shed'>;
  readonly #inFlight: Record<Budget, number> = { verifications: 0, mutations: 0 };
  readonly #writeWaitMs: () => number;
  readonly #shares = new Map<KeyId, Share>();
  readonly #bodyBytes: Record<Budget, number> = { verifications: 0, mutations: 0 };
  #isDraining = false;
  #onEmpty: (() => void) | undefined;

  /** `writeWaitMs`: how long the write that waits longest has waited. */
  constructor(limits: Limits, metrics: Pick<ServerMetrics, 'shed'>, writeWaitMs: () => number = () => 0) {
    this.#limits = limits;
    this.#metrics = metrics;
    this.#writeWaitMs = writeWaitMs;
  }

  get isDraining(): boolean {
    return this.#isDraining;
  }

  get total(): number {
    return this.#inFlight.verifications + this.#inFlight.mutations;
  }

  inFlight(budget: Budget): number {
    return this.#inFlight[budget];
  }

  /** A place, or the bound that was reached. */
  enter(budget: Budget, bodyBytes: number): Place | ShedReason {
    const reason = this.#reasonToShed(budget, bodyBytes);
    if (reason !== undefined) {
      this.#metrics.shed(reason);
      return reason;
    }
    this.#inFlight[budget] += 1;
    this.#bodyBytes[budget] += bodyBytes;
    return { budget, bodyBytes, share: undefined };
  }

  /** Counts the place towards its caller; false when the caller's share is used up. */
  claimShare(place: Place, callerId: KeyId, of: ShareOf = 'manager'): boolean {
    const share = this.#shares.get(callerId) ?? this.#newShare(callerId);
    // One body is always let in; beyond that a caller may hold a quarter of the bytes there are.
    const bytesMax = this.#limits.bodyBytesInFlightMax / 4;
    const isOverBytes =
      place.bodyBytes > 0 && share.bodyBytes > 0 && share.bodyBytes + place.bodyBytes > bytesMax;
    if (share.inFlight >= this.#shareMax(of) || isOverBytes) {
      this.#metrics.shed('caller');
      return false;
    }
    share.inFlight += 1;
    share.bodyBytes += place.bodyBytes;
    place.share = share;
    return true;
  }

  leave(place: Place): void {
    this.#inFlight[place.budget] -= 1;
    this.#bodyBytes[place.budget] -= place.bodyBytes;
    if (place.share !== undefined) {
      place.share.inFlight -= 1;
      place.share.bodyBytes -= place.bodyBytes;
    }
    if (this.total === 0) this.#onEmpty?.();
  }

  /** Lets nobody else in; resolves once everybody is out. */
  drain(): Promise<void> {
    this.#isDraining = true;
    if (this.total === 0) return Promise.resolve();
    return new Promise((resolve) => {
      this.#onEmpty = resolve;
    });
  }

  #shareMax(of: ShareOf): number {
    const { callerInFlightMax, mutationsInFlightMax } = this.#limits;
    if (of === 'manager') return callerInFlightMax;
    if (of === 'holder') return Math.min(callerInFlightMax, holderInFlightMax);
    return Math.min(callerInFlightMax, Math.max(1, Math.floor((mutationsInFlightMax * 3) / 4)));
  }

  /** Shares stay when they are empty, so that a busy caller's is not made anew at each request; at the bound they go. */
  #newShare(callerId: KeyId): Share {
    if (this.#shares.size >= sharesMax) {
      for (const [id, { inFlight }] of this.#shares) if (inFlight === 0) this.#shares.delete(id);
    }
    const share = { inFlight: 0, bodyBytes: 0 };
    this.#shares.set(callerId, share);
    return share;
  }

  #reasonToShed(budget: Budget, bodyBytes: number): ShedReason | undefined {
    const limits = this.#limits;
    if (this.#isDraining) return 'draining';
    if (this.total >= limits.requestsInFlightMax) return 'requests';
    const max = budget === 'verifications' ? limits.verificationsInFlightMax : limits.mutationsInFlightMax;
    if (this.#inFlight[budget] >= max) return budget;
    const isCrowd = budget === 'mutations' && this.#inFlight.mutations >= crowdOfMutationsMin;
    if (isCrowd && this.#writeWaitMs() > writeWaitMsMax) return 'write_wait';
    if (this.#bodyBytes[budget] + bodyBytes > limits.bodyBytesInFlightMax) return 'body_bytes';
    return undefined;
  }
}
