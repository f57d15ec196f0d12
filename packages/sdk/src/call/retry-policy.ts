import type { Route } from '@keyswarm/contract/routes';
import type { KeyswarmError } from '../errors/keyswarm-error.ts';

/*
 * When a call is sent again. Three things bound it, each against another failure:
 *
 *   attempts and deadline   one caller that waits for ever
 *   full jitter             callers that failed together and would come back together
 *   the budget              a fleet that doubles the load of a server because it is overloaded: retries cost a
 *                           token, only calls earn them, so in the long run they are a fixed share of the calls
 *
 * Only what the registry calls retryable is sent again. A request that changes something and carries no
 * Idempotency-Key (a PATCH) is sent again only if the server said for certain that it did nothing: the worse
 * error is a change that is made twice over somebody else's.
 */

export interface RetryPolicy {
  /** Including the first; 1: never again. */
  readonly attemptsMax: number;
  /** The first pause is random between 0 and this; the bound doubles each time. */
  readonly pauseMs: number;
  readonly pauseMsMax: number;
  /** From the call to its last answer, pauses included. */
  readonly deadlineMs: number;
  /** Retries that may be made in one burst, by all calls of a client. */
  readonly budgetTokensMax: number;
  /** What each call adds to the budget: 0.2 allows one retry for five calls in the long run. */
  readonly budgetTokensPerCall: number;
}

export const retryPolicyDefault: RetryPolicy = Object.freeze({
  attemptsMax: 5,
  pauseMs: 100,
  pauseMsMax: 5_000,
  deadlineMs: 60_000,
  budgetTokensMax: 50,
  budgetTokensPerCall: 0.2,
});

export interface RetryQuestion {
  readonly error: KeyswarmError;
  readonly route: Route;
  /** How often it has been sent. */
  readonly attempts: number;
  readonly remainingMs: number;
  /** 0 ≤ x < 1. */
  readonly random: number;
}

/** How long to wait before it is sent again; undefined: it isn't. */
export function pauseBeforeRetryMs(policy: RetryPolicy, question: RetryQuestion): number | undefined {
  const { error, route, attempts, remainingMs, random } = question;
  if (!error.retryable || attempts >= policy.attemptsMax) return undefined;
  if (route.mutates && !route.idempotent && !error.nothingChanged) return undefined;
  const boundMs = Math.min(policy.pauseMsMax, policy.pauseMs * 2 ** (attempts - 1));
  // Jitter on top of what the server asked for, or everyone it told "1 s" comes back in the same millisecond.
  const pauseMs = (error.retryAfterMs ?? 0) + random * boundMs;
  return pauseMs < remainingMs ? pauseMs : undefined;
}

/** The budget of one client. */
export class RetryBudget {
  readonly #policy: RetryPolicy;
  #tokens: number;

  constructor(policy: RetryPolicy) {
    this.#policy = policy;
    this.#tokens = policy.budgetTokensMax;
  }

  /** A call is made. */
  earn(): void {
    this.#tokens = Math.min(this.#policy.budgetTokensMax, this.#tokens + this.#policy.budgetTokensPerCall);
  }

  /** A call is to be sent again; false: the budget is used up. */
  spend(): boolean {
    if (this.#tokens < 1) return false;
    this.#tokens -= 1;
    return true;
  }
}
