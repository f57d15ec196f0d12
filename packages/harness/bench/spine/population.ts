import { randomFillSync } from 'node:crypto';
import {
  idFromUuidBytes,
  type KeyFact,
  type KeyspaceFact,
  mintKeyString,
  type OwnerFact,
  uuidV7,
} from '@keyswarm/core';
import { fingerprintOf, type ResidentVerifier } from '@keyswarm/verifier';

/*
 * A fleet for the in-process bench: N keys of one version each, 20 keys an owner, 8 keyspaces, 64 scope sets, all
 * with an expiry. A sample of them has real key strings; the others only need fingerprints, and random bytes are
 * what SHA-256 of a string that nobody has looks like.
 */

export interface Population {
  readonly verifier: ResidentVerifier;
  /** Real, distinct key strings of the population, in random order. */
  readonly keys: readonly string[];
  readonly workspaceId: KeyspaceFact['workspaceId'];
  readonly buildSeconds: number;
}

export const keysPerOwner = 20;
const keyspaceCount = 8;
const scopeSetCount = 64;
const dayMs = 86_400_000;

export function populate(verifier: ResidentVerifier, versions: number, sample: number): Population {
  const startMs = performance.now();
  const nowMs = Date.now();
  const load = verifier.startSnapshot();
  const workspaceId = idFromUuidBytes('ws', newUuid(nowMs));
  const keyspaces = Array.from(
    { length: keyspaceCount },
    (_, at): KeyspaceFact => ({
      id: idFromUuidBytes('ks', newUuid(nowMs)),
      workspaceId,
      revision: 1,
      name: `orders-${at}`,
      state: 'active',
      leaseMs: 30_000,
      keysNotBeforeMs: null,
    }),
  );
  for (const keyspace of keyspaces) load.applyKeyspace(keyspace);
  const scopeSets = Array.from({ length: scopeSetCount }, (_, at) => ['orders:*', `region-${at}:read`]);
  const keys: string[] = [];
  const sampleEvery = Math.max(1, Math.floor(versions / sample));
  let owner = newOwner(nowMs, 0);
  for (let at = 0; at < versions; at += 1) {
    if (at % keysPerOwner === 0) {
      owner = newOwner(nowMs, at);
      load.applyOwner(owner);
    }
    let fingerprint = randomBytesOf(16).slice();
    if (at % sampleEvery === 0 && keys.length < sample) {
      const key = flat(mintKeyString('orders_live', randomBytesOf));
      keys.push(key);
      fingerprint = fingerprintOf(key).slice(0, 16);
    }
    const fact: KeyFact = {
      id: idFromUuidBytes('key', newUuid(nowMs)),
      revision: 1,
      keyspaceId: (keyspaces[at % keyspaceCount] ?? keyspaces[0])?.id ?? never(),
      ownerId: owner.id,
      scopes: scopeSets[at % scopeSetCount] ?? [],
      state: 'active',
      notBeforeMs: null,
      expiresAtMs: nowMs + 30 * dayMs + at,
      versions: [{ number: 1, fingerprint, state: 'active', mintedAtMs: nowMs - at, retiresAtMs: null }],
    };
    load.applyKey(fact);
  }
  load.finish({ epoch: 1, seqs: [0, 0, 0, 0] });
  shuffle(keys);
  return { verifier, keys, workspaceId, buildSeconds: (performance.now() - startMs) / 1000 };
}

function newOwner(nowMs: number, at: number): OwnerFact {
  return {
    id: idFromUuidBytes('own', newUuid(nowMs)),
    revision: 1,
    kind: 'service',
    externalId: `service-${at}`,
    state: 'active',
    keysNotBeforeMs: null,
  };
}

function newUuid(nowMs: number): Uint8Array {
  return uuidV7(nowMs, randomBytesOf(10));
}

const pool = new Uint8Array(65_536);
let poolAt = pool.length;

/** A view of fresh random bytes, good until the next call but a few thousand. */
function randomBytesOf(count: number): Uint8Array {
  if (poolAt + count > pool.length) {
    randomFillSync(pool);
    poolAt = 0;
  }
  poolAt += count;
  return pool.subarray(poolAt - count, poolAt);
}

/** One flat string, as it comes out of a request, instead of the rope that minting leaves. */
function flat(text: string): string {
  return Buffer.from(text, 'latin1').toString('latin1');
}

export function shuffle<Item>(items: Item[]): void {
  for (let at = items.length - 1; at > 0; at -= 1) {
    const other = Math.floor(Math.random() * (at + 1));
    const item = items[at];
    const swapped = items[other];
    if (item === undefined || swapped === undefined) continue;
    items[at] = swapped;
    items[other] = item;
  }
}

function never(): never {
  throw new Error('the population has keyspaces');
}
