import type { KeyRecord } from './key-record.ts';

/*
 * When a holder is told that a key is about to end: about a quarter of its life before, in three steps, so that a sweep
 * goes through keys by the time that they end and keeps three places instead of a note on every key. Keys that live for
 * less than four hours are made anew by machines that know, and are told of when they have ended.
 */

export interface ExpiryNotice {
  /** Of keys that live for as long as this, and shorter than those of the row before. */
  readonly lifeMsMin: number;
  readonly beforeMs: number;
}

const hourMs = 3_600_000;
const dayMs = 24 * hourMs;

export const expiryNotices: readonly ExpiryNotice[] = Object.freeze([
  { lifeMsMin: 28 * dayMs, beforeMs: 7 * dayMs },
  { lifeMsMin: 4 * dayMs, beforeMs: dayMs },
  { lifeMsMin: 4 * hourMs, beforeMs: hourMs },
]);

/** Told of: nothing about the key changes, but its place in the feed, and with it the revision. */
export function toldKey(key: KeyRecord): KeyRecord {
  return { ...key, revision: key.revision + 1 };
}
