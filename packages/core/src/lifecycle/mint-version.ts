import { assert } from '../errors/assert.ts';
import { timeMsMax } from '../limits/limits.ts';
import type { KeyspaceRecord, KeyVersion } from './key-record.ts';

export interface MintVersion {
  readonly number: number;
  readonly fingerprint: Uint8Array;
  readonly keyspace: Pick<KeyspaceRecord, 'keysNotBeforeMs'>;
  readonly ownerKeysNotBeforeMs: number | null | undefined;
  readonly nowMs: number;
}

/**
 * A new version. Its minting is dated after every watermark that was there before it: a watermark refuses what
 * was minted at or before it, so a key issued in the same millisecond, or by a process whose clock is behind,
 * would be born revoked.
 */
export function mintVersion(mint: MintVersion): KeyVersion {
  const { nowMs } = mint;
  assert(
    Number.isSafeInteger(nowMs) && nowMs >= 0 && nowMs <= timeMsMax,
    'now is a time in whole milliseconds',
  );
  assert(mint.fingerprint.length === 32, 'a fingerprint is SHA-256');
  return {
    number: mint.number,
    fingerprint: mint.fingerprint,
    state: 'active',
    mintedAtMs: Math.max(nowMs, after(mint.keyspace.keysNotBeforeMs), after(mint.ownerKeysNotBeforeMs)),
    retiresAtMs: null,
  };
}

function after(watermarkMs: number | null | undefined): number {
  return watermarkMs === null || watermarkMs === undefined ? 0 : watermarkMs + 1;
}
