import type { KeyRecord, KeyState, KeyVersion, VersionState } from './key-record.ts';

/** What the key is at an instant. What is final wins: revoked, then expired, then suspended, then pending. */
export function keyStateAt(
  key: Pick<KeyRecord, 'state' | 'notBeforeMs' | 'expiresAtMs'>,
  nowMs: number,
): KeyState {
  if (key.state === 'revoked') return 'revoked';
  if (key.expiresAtMs !== null && nowMs >= key.expiresAtMs) return 'expired';
  if (key.state === 'suspended') return 'suspended';
  if (key.notBeforeMs !== null && nowMs < key.notBeforeMs) return 'pending';
  return 'active';
}

/**
 * The key as its owner leaves it: revoking all keys of an owner is one watermark on the owner and touches no key,
 * so whoever reads a key's record or decides on it has to see it through this. A key is revoked when its newest
 * version was minted at or before the watermark; no decider mints for a revoked key, so it stays so.
 */
export function underOwner(key: KeyRecord, ownerKeysNotBeforeMs: number | null): KeyRecord {
  return underWatermark(key, ownerKeysNotBeforeMs, 'all keys of the owner were revoked');
}

/** The same for the watermark of its keyspace. */
export function underKeyspace(key: KeyRecord, keyspaceKeysNotBeforeMs: number | null): KeyRecord {
  return underWatermark(key, keyspaceKeysNotBeforeMs, 'all keys of the keyspace were revoked');
}

function underWatermark(key: KeyRecord, watermarkMs: number | null, revokeReason: string): KeyRecord {
  const newest = key.versions.at(-1);
  const isRevoked = watermarkMs !== null && newest !== undefined && newest.mintedAtMs <= watermarkMs;
  if (!isRevoked || key.state === 'revoked') return key;
  return { ...key, state: 'revoked', revokedAtMs: watermarkMs, revokeReason };
}

/** What the version is at an instant: a grace that has run out is retired, whether or not anyone wrote it down. */
export function versionStateAt(
  version: Pick<KeyVersion, 'state' | 'retiresAtMs'>,
  nowMs: number,
): VersionState {
  if (version.state === 'grace' && version.retiresAtMs !== null && nowMs >= version.retiresAtMs) {
    return 'retired';
  }
  return version.state;
}

/** When this version stops working by the clock: the key's expiry or the end of its grace; null: never. */
export function effectiveExpiryMs(
  key: Pick<KeyRecord, 'expiresAtMs'>,
  version: Pick<KeyVersion, 'retiresAtMs'>,
): number | null {
  if (key.expiresAtMs === null) return version.retiresAtMs;
  if (version.retiresAtMs === null) return key.expiresAtMs;
  return Math.min(key.expiresAtMs, version.retiresAtMs);
}

/** The versions that are not retired at an instant: the newest, and during a rotation the one before it. */
export function liveVersionsAt(key: Pick<KeyRecord, 'versions'>, nowMs: number): readonly KeyVersion[] {
  return key.versions.filter((version) => versionStateAt(version, nowMs) !== 'retired');
}

/** The version whose grace is running at an instant, if there is one. */
export function graceVersionAt(key: Pick<KeyRecord, 'versions'>, nowMs: number): KeyVersion | undefined {
  return key.versions.find((version) => versionStateAt(version, nowMs) === 'grace');
}
