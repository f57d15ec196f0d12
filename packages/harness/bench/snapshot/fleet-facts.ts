import { createHash } from 'node:crypto';
import { idFromUuidBytes, type KeyspaceFact, type VersionFact } from '@keyswarm/core';
import type { Fact } from '@keyswarm/verifier';

const ownersShare = 10;
const rotatedShare = 10;
const mintedAtMs = 1_790_000_000_000;
const lifeMs = 31_536_000_000;
const scopeSets = Array.from({ length: 50 }, (_, at) => Object.freeze([`orders:${at}`, 'region:*']));

/** A fleet as it is: ten keys an owner, fifty scope sets, and of ten keys one with a version in grace. */
export function* fleetFacts(keys: number): Generator<Fact> {
  const keyspace: KeyspaceFact = {
    id: idFromUuidBytes('ks', bytesOf('keyspace')),
    workspaceId: idFromUuidBytes('ws', bytesOf('workspace')),
    revision: 1,
    name: 'orders',
    state: 'active',
    leaseMs: 30_000,
    keysNotBeforeMs: null,
  };
  yield { kind: 'keyspace', fact: keyspace };
  const owners = Math.ceil(keys / ownersShare);
  const ownerIds = Array.from({ length: owners }, (_, at) => idFromUuidBytes('own', bytesOf(`owner ${at}`)));
  for (const [at, id] of ownerIds.entries()) {
    const named = { id, revision: 1, kind: 'service', externalId: `service-${at}` } as const;
    yield { kind: 'owner', fact: { ...named, state: 'active', keysNotBeforeMs: null } };
  }
  for (let at = 0; at < keys; at += 1) {
    const ownerId = ownerIds[(at * 7919) % owners];
    const scopes = scopeSets[at % scopeSets.length];
    if (ownerId === undefined || scopes === undefined) continue;
    const id = idFromUuidBytes('key', bytesOf(`key ${at}`));
    const rotated = at % rotatedShare === 0;
    const versions = rotated
      ? [version(at, 1, mintedAtMs + 3_600_000), version(at, 2, null)]
      : [version(at, 1, null)];
    const limits = { notBeforeMs: null, expiresAtMs: mintedAtMs + lifeMs };
    const named = { id, revision: versions.length, keyspaceId: keyspace.id, ownerId, scopes };
    yield { kind: 'key', fact: { ...named, state: 'active', ...limits, versions } };
  }
}

function version(key: number, number: number, retiresAtMs: number | null): VersionFact {
  const state = retiresAtMs === null ? 'active' : 'grace';
  return { number, fingerprint: bytesOf(`secret ${key} ${number}`), state, mintedAtMs, retiresAtMs };
}

function bytesOf(name: string): Uint8Array {
  return Uint8Array.from(createHash('sha256').update(name).digest().subarray(0, 16));
}
