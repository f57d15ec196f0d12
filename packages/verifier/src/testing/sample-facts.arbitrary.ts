import {
  type FeedRow,
  idFromUuidBytes,
  type KeyFact,
  type KeyId,
  type KeyspaceFact,
  mintKeyString,
  type OwnerFact,
  type VersionFact,
} from '@keyswarm/core';
import { ManualVerifierClock } from '../clock/manual-verifier-clock.ts';
import { createResidentVerifier, type VerifierLimits } from '../resident-verifier.ts';
import { fingerprintOf } from '../verdict/fingerprint.ts';
import type { ResidentVerifier } from '../verifier-port.ts';

/*
 * Facts of many keys, made from small numbers: the same number gives the same id, key string and fingerprint, so
 * that a failing case can be read and replayed.
 */

export const startMs = 1_800_000_000_000;
export const hourMs = 3_600_000;
export const sampleSeed = Int32Array.from([4711, 815, 9999, 31_337, 42, 65_535, 1234, 60_001]);

function idBytes(kind: string, number: number): Uint8Array {
  return fingerprintOf(`${kind} ${number}`).slice(0, 16);
}

export const workspaceId = (number: number) => idFromUuidBytes('ws', idBytes('workspace', number));
export const keyspaceId = (number: number) => idFromUuidBytes('ks', idBytes('keyspace', number));
export const ownerId = (number: number) => idFromUuidBytes('own', idBytes('owner', number));
export const keyId = (number: number): KeyId => idFromUuidBytes('key', idBytes('key', number));

/** The key string of one version: well formed, and always the same for the same two numbers. */
export function keyString(key: number, version = 1): string {
  let block = 0;
  return mintKeyString('orders_live', (count) => {
    block += 1;
    const bytes = fingerprintOf(`secret ${key} ${version} ${block}`);
    return Uint8Array.from({ length: count }, (_, at) => bytes[at % bytes.length] ?? 0);
  });
}

export function versionFact(key: number, number = 1, change: Partial<VersionFact> = {}): VersionFact {
  return {
    number,
    fingerprint: fingerprintOf(keyString(key, number)).slice(0, 16),
    state: 'active',
    mintedAtMs: startMs - hourMs,
    retiresAtMs: null,
    ...change,
  };
}

export function keyFact(key: number, change: Partial<KeyFact> = {}): KeyFact {
  return {
    id: keyId(key),
    revision: 1,
    keyspaceId: keyspaceId(1),
    ownerId: ownerId(1),
    scopes: ['orders:*'],
    state: 'active',
    notBeforeMs: null,
    expiresAtMs: startMs + 24 * hourMs,
    versions: [versionFact(key)],
    ...change,
  };
}

export function ownerFact(owner: number, change: Partial<OwnerFact> = {}): OwnerFact {
  return {
    id: ownerId(owner),
    revision: 1,
    kind: 'service',
    externalId: `service-${owner}`,
    state: 'active',
    keysNotBeforeMs: null,
    ...change,
  };
}

export function keyspaceFact(keyspace: number, change: Partial<KeyspaceFact> = {}): KeyspaceFact {
  return {
    id: keyspaceId(keyspace),
    workspaceId: workspaceId(1),
    revision: 1,
    name: `orders-${keyspace}`,
    state: 'active',
    leaseMs: 30_000,
    keysNotBeforeMs: null,
    ...change,
  };
}

export function keyRow(seq: number, key: KeyFact, change: Partial<FeedRow> = {}): FeedRow {
  return {
    epoch: 1,
    shard: 0,
    seq,
    type: 'key.updated',
    atMs: startMs,
    workspaceId: workspaceId(1),
    subject: key.id,
    key,
    owner: ownerFact(1),
    keyspace: keyspaceFact(1),
    data: {},
    ...change,
  };
}

export interface ReadyVerifier {
  readonly clock: ManualVerifierClock;
  readonly verifier: ResidentVerifier;
}

/** A verifier that is ready at position 0 of two shards, knows owner 1 and keyspace 1, and holds a fresh lease. */
export function readyVerifier(limits: VerifierLimits = {}): ReadyVerifier {
  const clock = new ManualVerifierClock(startMs);
  const verifier = createResidentVerifier({ clock, shards: 2, limits, indexSeed: sampleSeed });
  const load = verifier.startSnapshot();
  load.applyKeyspace(keyspaceFact(1));
  load.applyOwner(ownerFact(1));
  load.finish({ epoch: 1, seqs: [0, 0] });
  verifier.renewLease(clock.monotonicMs());
  return { clock, verifier };
}
