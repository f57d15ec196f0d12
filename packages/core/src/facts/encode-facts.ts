import { hexOf } from '../encoding/hex.ts';
import type { JsonObject } from '../encoding/json.ts';
import { assert } from '../errors/assert.ts';
import { encodeProofs } from '../lifecycle/version-proof.ts';
import { encodeSigningKeyFact } from '../signing/signing-key-fact.ts';
import { isEventData } from './event-data.ts';
import type { FeedRow, KeyFact, KeyspaceFact, KeyTraitsFact, OwnerFact, VersionFact } from './facts.ts';

/*
 * Facts as plain JSON values: snake_case, times in whole Unix milliseconds (this is a wire between machines, and
 * an expiry is exact), fingerprints as lower-case hexadecimal. `decode-facts.ts` is the way back.
 */

/** The version of this encoding. A reader refuses a row of another one rather than guess at it. */
export const feedRowFormat = 1;

export function encodeFeedRow(row: FeedRow): JsonObject {
  return {
    v: feedRowFormat,
    epoch: row.epoch,
    shard: row.shard,
    seq: row.seq,
    type: row.type,
    at_ms: row.atMs,
    workspace_id: row.workspaceId,
    subject: row.subject,
    key: row.key === null ? null : encodeKeyFact(row.key),
    owner: row.owner === null ? null : encodeOwnerFact(row.owner),
    keyspace: row.keyspace === null ? null : encodeKeyspaceFact(row.keyspace),
    ...(row.signingKey === undefined ? {} : { signing_key: encodeSigningKeyFact(row.signingKey) }),
    data: encodeEventData(row.data),
  };
}

export function encodeKeyFact(fact: KeyFact): JsonObject {
  return {
    id: fact.id,
    revision: fact.revision,
    keyspace_id: fact.keyspaceId,
    owner_id: fact.ownerId,
    scopes: fact.scopes,
    state: fact.state,
    not_before_ms: fact.notBeforeMs,
    expires_at_ms: fact.expiresAtMs,
    ...(fact.traits === undefined ? {} : { traits: encodeKeyTraitsFact(fact.traits) }),
    versions: fact.versions.map(encodeVersionFact),
  };
}

export function encodeKeyTraitsFact({
  renewAfterMs,
  parentId,
  enrollment,
  proofs,
}: KeyTraitsFact): JsonObject {
  return {
    ...(renewAfterMs === undefined ? {} : { renew_after_ms: renewAfterMs }),
    ...(parentId === undefined ? {} : { parent_id: parentId }),
    ...(enrollment === undefined ? {} : { enrollment }),
    ...(proofs === undefined ? {} : { proofs: encodeProofs(proofs) }),
  };
}

export function encodeOwnerFact(fact: OwnerFact): JsonObject {
  return {
    id: fact.id,
    revision: fact.revision,
    kind: fact.kind,
    external_id: fact.externalId,
    state: fact.state,
    keys_not_before_ms: fact.keysNotBeforeMs,
  };
}

export function encodeKeyspaceFact(fact: KeyspaceFact): JsonObject {
  return {
    id: fact.id,
    workspace_id: fact.workspaceId,
    revision: fact.revision,
    name: fact.name,
    state: fact.state,
    lease_ms: fact.leaseMs,
    ...(fact.proof === undefined ? {} : { proof: fact.proof }),
    keys_not_before_ms: fact.keysNotBeforeMs,
  };
}

/** Members that are undefined are left out, as JSON would. */
export function encodeEventData(data: Readonly<Record<string, unknown>>): JsonObject {
  const present = Object.fromEntries(Object.entries(data).filter(([, value]) => value !== undefined));
  assert(isEventData(present), 'event data is small, shallow JSON');
  return present;
}

function encodeVersionFact(fact: VersionFact): JsonObject {
  return {
    number: fact.number,
    fingerprint: hexOf(fact.fingerprint),
    state: fact.state,
    minted_at_ms: fact.mintedAtMs,
    retires_at_ms: fact.retiresAtMs,
  };
}
