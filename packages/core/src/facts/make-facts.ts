import type { KeyRecord, KeyspaceRecord, KeyVersion, OwnerRecord } from '../lifecycle/key-record.ts';
import { type KeyTraits, noTraits } from '../lifecycle/key-traits.ts';
import type { KeyFact, KeyspaceFact, KeyTraitsFact, OwnerFact, VersionFact } from './facts.ts';

/** Bytes of a fingerprint that verifiers hold: half of SHA-256 leaves 128 bits, too many to search for. */
export const fingerprintFactBytes = 16;

/** What verifiers need of a key: neither its name nor its metadata, and half of each fingerprint. */
export function keyFactOf(record: KeyRecord): KeyFact {
  return {
    id: record.id,
    revision: record.revision,
    keyspaceId: record.keyspaceId,
    ownerId: record.ownerId,
    scopes: record.scopes,
    state: record.state,
    notBeforeMs: record.notBeforeMs,
    expiresAtMs: record.expiresAtMs,
    ...traitsMemberOf(record.traits),
    versions: record.versions.map(versionFactOf),
  };
}

/** The member `traits` of a fact: absent where a verifier has nothing to know. */
export function traitsMemberOf(traits: KeyTraits): { readonly traits?: KeyTraitsFact } {
  const { renewAfterMs, parentId, enrollment, proofs } = traits;
  if (traits === noTraits) return {};
  const fact: KeyTraitsFact = {
    ...(renewAfterMs === undefined ? {} : { renewAfterMs }),
    ...(parentId === undefined ? {} : { parentId }),
    ...(enrollment === undefined ? {} : { enrollment: true }),
    ...(proofs === undefined ? {} : { proofs }),
  };
  return Object.keys(fact).length === 0 ? {} : { traits: fact };
}

export function ownerFactOf(record: OwnerRecord): OwnerFact {
  return {
    id: record.id,
    revision: record.revision,
    kind: record.kind,
    externalId: record.externalId,
    state: record.state,
    keysNotBeforeMs: record.keysNotBeforeMs,
  };
}

export function keyspaceFactOf(record: KeyspaceRecord): KeyspaceFact {
  return {
    id: record.id,
    workspaceId: record.workspaceId,
    revision: record.revision,
    name: record.name,
    state: record.state,
    leaseMs: record.leaseSeconds * 1000,
    ...(record.proof === 'signature' ? { proof: 'signature' } : {}),
    keysNotBeforeMs: record.keysNotBeforeMs,
  };
}

function versionFactOf(version: KeyVersion): VersionFact {
  return {
    number: version.number,
    fingerprint: version.fingerprint.slice(0, fingerprintFactBytes),
    state: version.state,
    mintedAtMs: version.mintedAtMs,
    retiresAtMs: version.retiresAtMs,
  };
}
