import { renewalSpreadMsMax } from '../limits/limits.ts';
import { changeKey } from './admit.ts';
import type { KeyRecord } from './key-record.ts';
import { finishRotation } from './rotate-key.ts';
import { keyStateAt } from './states.ts';
import { isSettled, type SettlingEvidence, settlingWindowMs } from './use-evidence.ts';

/*
 * What happens to a key because of its keyspace's rules and not because somebody asked. Both are asked of many keys at
 * once, so a key that it does not apply to any more is no fault: nothing is returned for it.
 */

/** Ends the grace of a rotation that has settled; undefined: it has not, or the key is at its end. */
export function settleRotation(
  key: KeyRecord,
  settling: SettlingEvidence,
  nowMs: number,
): KeyRecord | undefined {
  if (!isAlive(key, nowMs) || !isSettled(key, settling, nowMs)) return undefined;
  const evidence = { ...settling, windowMs: settlingWindowMs(settling) };
  return finishRotation(key, { force: false, evidence }, nowMs);
}

export interface RenewalRequest {
  /** Of the keyspace: a secret that is older is due. */
  readonly rotateAfterMs: number;
  /** 0 to 1: where in the time that the requests are spread over this one falls. */
  readonly spread: number;
}

/**
 * Asks the holder of a key whose newest secret is due to renew it, from an instant on that lies within a tenth of the
 * secret's allowed age, a day at the most, and within the first half of what is left of the key's life. Undefined: it is not
 * due, was asked already, or can't be renewed.
 */
export function requestRenewal(
  key: KeyRecord,
  { rotateAfterMs, spread }: RenewalRequest,
  nowMs: number,
): KeyRecord | undefined {
  const newest = key.versions.at(-1);
  const { renewAfterMs: asked, enrollment } = key.traits;
  if (newest === undefined || nowMs - newest.mintedAtMs < rotateAfterMs) return undefined;
  if (asked !== undefined || enrollment !== undefined || keyStateAt(key, nowMs) !== 'active')
    return undefined;
  const leftMs = key.expiresAtMs === null ? Number.POSITIVE_INFINITY : key.expiresAtMs - nowMs;
  const spreadMs = Math.min(rotateAfterMs / 10, renewalSpreadMsMax, leftMs / 2);
  const renewAfterMs = nowMs + Math.floor(spread * spreadMs);
  return changeKey(key, { traits: { ...key.traits, renewAfterMs } }, nowMs);
}

function isAlive(key: KeyRecord, nowMs: number): boolean {
  const state = keyStateAt(key, nowMs);
  return state !== 'revoked' && state !== 'expired';
}
