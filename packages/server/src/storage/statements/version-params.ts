import { hexOf, type KeyId, type KeyVersion, uuidHexOf } from '@keyswarm/core';
import { instantText, instantTextOrNull } from './instant-text.ts';

export interface VersionOfKey {
  readonly keyId: KeyId;
  readonly version: KeyVersion;
}

/** The columns that a statement unnests into versions, in the order that they all use. */
export function versionParams(rows: readonly VersionOfKey[]): readonly unknown[] {
  return [
    rows.map(({ keyId }) => uuidHexOf(keyId)),
    rows.map(({ version }) => version.number),
    rows.map(({ version }) => hexOf(version.fingerprint)),
    rows.map(({ version }) => version.state),
    rows.map(({ version }) => instantText(version.mintedAtMs)),
    rows.map(({ version }) => instantTextOrNull(version.retiresAtMs)),
  ];
}
