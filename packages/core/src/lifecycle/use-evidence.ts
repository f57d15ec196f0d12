import { Fault } from '../errors/fault.ts';
import { inUseWindowMsMin } from '../limits/limits.ts';
import type { KeyRecord } from './key-record.ts';
import { graceVersionAt } from './states.ts';

/*
 * What is known of who uses which secret, and whether that is enough to end the old one.
 *
 * An old secret is ended on two proofs. The new one works somewhere: it was accepted at least once, or else what was
 * minted may never have been deployed, and ending the old one is an outage. And the old one is not needed any more: no
 * verifier accepted it within the window, which also asks that every verifier that may have accepted it has been heard
 * of. One that was cut off can't say what it accepted; for as long as that may lie within the window, nothing is proved.
 */

/** When a version was accepted by any verifier while its key was rotating, Unix ms. */
export interface VersionUse {
  readonly number: number;
  readonly firstUsedMs: number;
  readonly lastUsedMs: number;
}

/** A verifier that may have accepted keys of which nothing was heard. */
export interface UnheardVerifier {
  readonly name: string;
  /** Until when it may have accepted any, Unix ms; after that its lease had ended. */
  readonly mayHaveAcceptedUntilMs: number;
}

export interface UseEvidence {
  /** Versions that are not there were not used. */
  readonly uses: readonly VersionUse[];
  /** The one that may have accepted a key last, of all that were not heard of; null: all were heard of. */
  readonly unheard: UnheardVerifier | null;
  /** Used within so long counts as in use. */
  readonly windowMs: number;
}

/** The fault with which ending the grace is refused on this evidence; undefined: it may end. */
export function refusalToFinish(key: KeyRecord, evidence: UseEvidence, nowMs: number): Fault | undefined {
  const old = graceVersionAt(key, nowMs);
  const current = key.versions.at(-1);
  if (old === undefined || current === undefined) return undefined;
  const { uses, unheard, windowMs } = evidence;
  const useOf = (number: number) => uses.find((use) => use.number === number);
  const forced = { field: '/force', expected: 'true, to end it all the same' };
  const lastUsedMs = useOf(old.number)?.lastUsedMs;
  if (lastUsedMs !== undefined && nowMs - lastUsedMs < windowMs) {
    return new Fault('version_in_use', {
      detail: `Version ${old.number} was used within the last ${spanOf(windowMs)}.`,
      ...forced,
      extra: { version: old.number, last_used_at: timeOf(lastUsedMs) },
    });
  }
  if (useOf(current.number) === undefined) {
    return new Fault('new_version_unused', {
      detail: `Version ${current.number} was never used: without version ${old.number} its holder may have no key that works.`,
      ...forced,
      extra: { version: current.number, minted_at: timeOf(current.mintedAtMs) },
    });
  }
  // What was accepted before this grace began says nothing of who needs the old version now.
  const sinceMs = Math.max(nowMs - windowMs, current.mintedAtMs);
  if (unheard !== null && unheard.mayHaveAcceptedUntilMs > sinceMs) {
    return new Fault('use_unproven', {
      detail: `The verifier ${unheard.name} is not heard of, and may have accepted version ${old.number} within the last ${spanOf(windowMs)}.`,
      ...forced,
      extra: { version: old.number, verifier: unheard.name, until: timeOf(unheard.mayHaveAcceptedUntilMs) },
    });
  }
  return undefined;
}

/** Has the new version been in use, and the old one silent, for so long that the grace may end by itself? */
export function isSettled(key: KeyRecord, settling: SettlingEvidence, nowMs: number): boolean {
  const { uses, unheard, settleMs } = settling;
  const current = key.versions.at(-1);
  const firstUsedMs = uses.find(({ number }) => number === current?.number)?.firstUsedMs;
  if (firstUsedMs === undefined || nowMs - firstUsedMs < settleMs) return false;
  if (graceVersionAt(key, nowMs) === undefined) return false;
  const windowMs = settlingWindowMs(settling);
  return refusalToFinish(key, { uses, unheard, windowMs }, nowMs) === undefined;
}

/** For how long the old version has to have been silent: no shorter than it takes to tell of a use. */
export function settlingWindowMs({ settleMs }: Pick<SettlingEvidence, 'settleMs'>): number {
  return Math.max(settleMs, inUseWindowMsMin);
}

export interface SettlingEvidence extends Omit<UseEvidence, 'windowMs'> {
  /** Of the keyspace. */
  readonly settleMs: number;
}

function spanOf(ms: number): string {
  return ms % 60_000 === 0 ? `${ms / 60_000} minutes` : `${Math.round(ms / 1000)} seconds`;
}

function timeOf(ms: number): string {
  return new Date(ms).toISOString();
}
