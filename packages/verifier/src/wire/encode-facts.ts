import {
  assert,
  encodeKeyTraitsFact,
  encodeSigningKeyFact,
  fingerprintFactBytes,
  type KeyFact,
  type KeyspaceFact,
  type KeyspaceId,
  type OwnerFact,
  type OwnerId,
  type SigningKeyFact,
  uuidBytesOf,
  type VersionFact,
  versionsKeptMax,
} from '@keyswarm/core';
import type { Fact } from '../feed/fact.ts';
import { factEntryBytesMax, snapshotChunkBytes } from '../limits.ts';
import { ByteWriter } from './byte-writer.ts';
import {
  factsFormat,
  keyFlags,
  keyStates,
  keyspaceFlags,
  ownerFlags,
  ownerKinds,
  tags,
  thingStates,
  versionFlags,
  versionStates,
} from './facts-format.ts';
import { frameHeadBytes, frameTypes, sealFrame } from './frames.ts';

/** Facts into the frames of one snapshot: `facts-format.ts` says how they look. */
export class FactsEncoder {
  #writer: ByteWriter | undefined;
  #batches = 0;
  readonly #keyspaces = new Map<KeyspaceId, number>();
  readonly #owners = new Map<OwnerId, number>();
  /** By list, not by what it holds: in a table equal sets are one list, and to compare texts would cost more. */
  readonly #scopes = new Map<readonly string[], number>();
  #keyspaceCount = 0;
  #ownerCount = 0;

  /** A frame, when enough facts have come to fill one. */
  add(entry: Fact): Uint8Array | undefined {
    this.#writer ??= this.#begin();
    if (entry.kind === 'key') this.#key(this.#writer, entry.fact);
    else if (entry.kind === 'owner') this.#owner(this.#writer, entry.fact);
    else if (entry.kind === 'signingKey') signingKey(this.#writer, entry.fact);
    else this.#keyspace(this.#writer, entry.fact);
    return this.#writer.length >= snapshotChunkBytes ? this.finish() : undefined;
  }

  /** The frame of what has come since the last one. */
  finish(): Uint8Array | undefined {
    const frame = this.#writer?.written;
    this.#writer = undefined;
    if (frame !== undefined) sealFrame(frameTypes.facts, frame);
    return frame;
  }

  #begin(): ByteWriter {
    const buffer = Buffer.allocUnsafeSlow(snapshotChunkBytes + factEntryBytesMax);
    const writer = new ByteWriter(buffer);
    for (let at = 0; at < frameHeadBytes; at += 1) writer.byte(0);
    writer.byte(factsFormat);
    writer.uint32(this.#batches);
    this.#batches += 1;
    return writer;
  }

  #keyspace(writer: ByteWriter, fact: KeyspaceFact): void {
    const { keysNotBeforeMs } = fact;
    writer.byte(tags.keyspace);
    writer.bytes(uuidBytesOf(fact.id));
    writer.bytes(uuidBytesOf(fact.workspaceId));
    writer.byte(
      thingStates.indexOf(fact.state) |
        flagIf(keysNotBeforeMs !== null, keyspaceFlags.notBefore) |
        flagIf(fact.proof === 'signature', keyspaceFlags.signature),
    );
    writer.whole(fact.revision);
    writer.whole(fact.leaseMs);
    writer.text(fact.name);
    if (keysNotBeforeMs !== null) writer.timeMs(keysNotBeforeMs);
    this.#keyspaces.set(fact.id, this.#keyspaceCount);
    this.#keyspaceCount += 1;
  }

  #owner(writer: ByteWriter, fact: OwnerFact): void {
    const { keysNotBeforeMs } = fact;
    writer.byte(tags.owner);
    writer.bytes(uuidBytesOf(fact.id));
    writer.byte(
      ownerKinds.indexOf(fact.kind) |
        flagIf(fact.state === 'suspended', ownerFlags.suspended) |
        flagIf(keysNotBeforeMs !== null, ownerFlags.notBefore),
    );
    writer.whole(fact.revision);
    writer.text(fact.externalId);
    if (keysNotBeforeMs !== null) writer.timeMs(keysNotBeforeMs);
    this.#owners.set(fact.id, this.#ownerCount);
    this.#ownerCount += 1;
  }

  #key(writer: ByteWriter, fact: KeyFact): void {
    const { notBeforeMs, expiresAtMs, traits, versions } = fact;
    assert(versions.length >= 1 && versions.length <= versionsKeptMax, 'a key fact has 1 to 3 versions');
    const keyspace = this.#keyspaceNumber(writer, fact.keyspaceId);
    const owner = this.#ownerNumber(writer, fact.ownerId);
    const scopes = this.#scopesNumber(writer, fact.scopes);
    writer.byte(tags.key);
    writer.bytes(uuidBytesOf(fact.id));
    writer.byte(
      keyStates.indexOf(fact.state) |
        flagIf(notBeforeMs !== null, keyFlags.notBefore) |
        flagIf(expiresAtMs !== null, keyFlags.expiry) |
        flagIf(traits !== undefined, keyFlags.traits) |
        (versions.length << keyFlags.versionsShift),
    );
    writer.whole(fact.revision);
    writer.whole(keyspace);
    writer.whole(owner);
    writer.whole(scopes);
    if (notBeforeMs !== null) writer.timeMs(notBeforeMs);
    if (expiresAtMs !== null) writer.timeMs(expiresAtMs);
    for (const version of versions) writeVersion(writer, version);
    if (traits !== undefined) writer.text(JSON.stringify(encodeKeyTraitsFact(traits)));
  }

  #keyspaceNumber(writer: ByteWriter, id: KeyspaceId): number {
    const known = this.#keyspaces.get(id);
    if (known !== undefined) return known;
    writer.byte(tags.keyspaceId);
    writer.bytes(uuidBytesOf(id));
    this.#keyspaces.set(id, this.#keyspaceCount);
    this.#keyspaceCount += 1;
    return this.#keyspaceCount - 1;
  }

  #ownerNumber(writer: ByteWriter, id: OwnerId): number {
    const known = this.#owners.get(id);
    if (known !== undefined) return known;
    writer.byte(tags.ownerId);
    writer.bytes(uuidBytesOf(id));
    this.#owners.set(id, this.#ownerCount);
    this.#ownerCount += 1;
    return this.#ownerCount - 1;
  }

  #scopesNumber(writer: ByteWriter, scopes: readonly string[]): number {
    const known = this.#scopes.get(scopes);
    if (known !== undefined) return known;
    const number = this.#scopes.size;
    writer.byte(tags.scopes);
    writer.whole(scopes.length);
    for (const scope of scopes) writer.text(scope);
    this.#scopes.set(scopes, number);
    return number;
  }
}

/** Few, and with more members than bytes would save. */
function signingKey(writer: ByteWriter, fact: SigningKeyFact): void {
  writer.byte(tags.signingKey);
  writer.text(JSON.stringify(encodeSigningKeyFact(fact)));
}

function writeVersion(writer: ByteWriter, version: VersionFact): void {
  const { fingerprint, retiresAtMs } = version;
  assert(fingerprint.length === fingerprintFactBytes, 'a fingerprint fact has 16 bytes');
  writer.byte(versionStates.indexOf(version.state) | flagIf(retiresAtMs !== null, versionFlags.retires));
  writer.whole(version.number);
  writer.bytes(fingerprint);
  writer.timeMs(version.mintedAtMs);
  if (retiresAtMs !== null) writer.timeMs(retiresAtMs);
}

function flagIf(holds: boolean, flag: number): number {
  return holds ? flag : 0;
}
