import type { KeyId } from '../ids/ids.ts';
import { renewSpreadMs } from '../limits/limits.ts';

/*
 * When the holder of a key may renew it: from when it was asked to, or in the last third of the life of its newest
 * secret, whichever is first. A key that never ends and that nobody asked about has no window.
 *
 * Keys that were issued together would come back together, so the start is moved by a share that follows from the
 * key and its version: every process finds the same, and none has to keep it. The moment within the window is the
 * holder's to draw (RFC 9773, section 4.2, has renewals of certificates spread that way).
 */

export interface RenewableVersion {
  readonly keyId: KeyId;
  readonly number: number;
  readonly mintedAtMs: number;
  /** The end of the key. Null: never. */
  readonly expiresAtMs: number | null;
  /** From when on the holder was asked to renew; null: nobody asked. */
  readonly askedFromMs: number | null;
}

export interface RenewWindow {
  readonly opensMs: number;
  /** By when a holder does well to have renewed: nobody is refused after it. */
  readonly closesMs: number;
}

/** It opens between two thirds and five sixths of a secret's life, or where it was asked for; null: there is none. */
export function renewWindowOf(version: RenewableVersion): RenewWindow | null {
  const { expiresAtMs, askedFromMs } = version;
  const own = expiresAtMs === null ? null : ownWindow(version, expiresAtMs);
  if (askedFromMs === null || (own !== null && own.opensMs <= askedFromMs)) return own;
  const closesMs = askedFromMs + renewSpreadMs;
  return { opensMs: askedFromMs, closesMs: own === null ? closesMs : Math.min(closesMs, own.closesMs) };
}

/** Half of what is left when it opens is for drawing a moment, the other half for trying again. */
function ownWindow(version: RenewableVersion, expiresAtMs: number): RenewWindow {
  const lifeMs = Math.max(0, expiresAtMs - version.mintedAtMs);
  const opensMs = Math.floor(expiresAtMs - (lifeMs / 3) * (1 - shareOf(version) / 2));
  return { opensMs, closesMs: Math.floor(opensMs + (expiresAtMs - opensMs) / 2) };
}

/** 0 ≤ x < 1, the same for the same version of a key: FNV-1a over its id and number. */
function shareOf({ keyId, number }: RenewableVersion): number {
  let mixed = 0x811c9dc5 ^ number;
  for (let at = 0; at < keyId.length; at += 1) mixed = Math.imul(mixed ^ keyId.charCodeAt(at), 0x01000193);
  // The last characters of an id name its shard: without this, their neighbours would get neighbouring shares.
  mixed = Math.imul(mixed ^ (mixed >>> 15), 0x2c1b3c6d);
  return ((mixed ^ (mixed >>> 12)) >>> 0) / 2 ** 32;
}
