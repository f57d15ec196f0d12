import { leaseSecondsMin } from '@keyswarm/core';

/*
 * What counts of a keyspace's L when it has been changed. A revocation is acknowledged with an `effective_by` that
 * is reckoned from the lease of that moment. If a verifier that hasn't heard of the revocation heard of a longer
 * lease, and went by it at once, it would say VALID beyond that instant, on a base from before both. So a longer
 * lease counts only from a base later than the moment the raise was applied here: what was acknowledged under the
 * shorter one has been applied by then. A shorter lease counts at once.
 *
 * A keyspace that is first heard of after it has been changed may have had any lease, so it is taken for raised
 * from the shortest there is. One that is heard of as it was created had no lease before.
 */

export interface LeaseTerms {
  /** As the newest fact says. */
  leaseMs: number;
  /** What counts instead, on a base that is no later than the raise. */
  leaseBeforeRaiseMs: number;
  /** Monotonic; -Infinity: not raised. */
  raisedAtMs: number;
}

/** What the lease of this verifier says of itself. */
export interface LeaseTimes {
  readonly baseMs: number;
  readonly nowMs: number;
}

const leaseMsMin = leaseSecondsMin * 1000;

export function leaseInForceMs(terms: LeaseTerms, baseMs: number): number {
  return baseMs > terms.raisedAtMs ? terms.leaseMs : terms.leaseBeforeRaiseMs;
}

/** The first fact of a keyspace. */
export function startLease(terms: LeaseTerms, leaseMs: number, revision: number, times: LeaseTimes): void {
  if (revision === 1) stateLease(terms, leaseMs);
  else raiseLease(terms, leaseMs, Math.min(leaseMs, leaseMsMin), times.nowMs);
}

/** A later fact of it. */
export function changeLease(terms: LeaseTerms, leaseMs: number, times: LeaseTimes): void {
  if (leaseMs === terms.leaseMs) return;
  const inForceMs = leaseInForceMs(terms, times.baseMs);
  if (leaseMs > inForceMs) raiseLease(terms, leaseMs, inForceMs, times.nowMs);
  else stateLease(terms, leaseMs);
}

/** The same keyspace in a table that takes over: what was in force here goes on, and no more than that. */
export function inheritLease(terms: LeaseTerms, before: LeaseTerms, times: LeaseTimes): void {
  const { leaseMs } = terms;
  terms.leaseMs = before.leaseMs;
  terms.leaseBeforeRaiseMs = before.leaseBeforeRaiseMs;
  terms.raisedAtMs = before.raisedAtMs;
  changeLease(terms, leaseMs, times);
}

function stateLease(terms: LeaseTerms, leaseMs: number): void {
  terms.leaseMs = leaseMs;
  terms.leaseBeforeRaiseMs = leaseMs;
  terms.raisedAtMs = Number.NEGATIVE_INFINITY;
}

function raiseLease(terms: LeaseTerms, leaseMs: number, beforeMs: number, nowMs: number): void {
  terms.leaseMs = leaseMs;
  terms.leaseBeforeRaiseMs = beforeMs;
  terms.raisedAtMs = nowMs;
}
