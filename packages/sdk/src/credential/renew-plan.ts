import type { ReplyOf } from '@keyswarm/contract';

/** What the server says of the key in use, as instants. */
export interface KnownKey {
  readonly expiresAtMs: number | null;
  /** When to renew it; null: not before somebody asks. */
  readonly renewAtMs: number | null;
  /** A newer version was made, and this one is about to end. */
  readonly isOutdated: boolean;
}

type Told = Pick<ReplyOf<'getSelf'>, 'expires_at' | 'renew_after' | 'renew_by'> & {
  readonly state?: 'active' | 'grace';
};

/**
 * Draws the moment of the next renewal within the window that the server gives, so that holders whose keys were made
 * together don't come back together. A moment that was drawn before in the same window stays.
 */
export function planOf(told: Told, random: number, before?: KnownKey): KnownKey {
  const expiresAtMs = instantOf(told.expires_at);
  const isOutdated = told.state === 'grace';
  const opensMs = instantOf(told.renew_after);
  if (opensMs === null) return { expiresAtMs, renewAtMs: null, isOutdated };
  const closesMs = Math.max(opensMs, instantOf(told.renew_by) ?? opensMs);
  const drawn = before?.renewAtMs ?? null;
  const stands = drawn !== null && drawn >= opensMs && drawn <= closesMs;
  return { expiresAtMs, renewAtMs: stands ? drawn : opensMs + random * (closesMs - opensMs), isOutdated };
}

/** A pause before the next try: doubled with each, drawn from its upper half. */
export function pauseMs(
  tries: number,
  random: number,
  bounds: { readonly min: number; readonly max: number },
): number {
  const wholeMs = Math.min(bounds.max, bounds.min * 2 ** Math.min(tries, 30));
  return wholeMs / 2 + (random * wholeMs) / 2;
}

function instantOf(text: string | null): number | null {
  if (text === null) return null;
  const timeMs = Date.parse(text);
  return Number.isFinite(timeMs) ? timeMs : null;
}
