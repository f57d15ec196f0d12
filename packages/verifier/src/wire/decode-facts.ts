import {
  decodeKeyTraitsFact,
  decodeSigningKeyFact,
  externalIdLengthMax,
  fingerprintFactBytes,
  idFromUuidBytes,
  isBadRow,
  isScope,
  isScopeSegment,
  isStorableText,
  isWithinLength,
  type KeyFact,
  type KeyspaceFact,
  type KeyspaceId,
  type KeyTraitsFact,
  keyspaceNameLengthMax,
  leaseSecondsMax,
  leaseSecondsMin,
  type OwnerFact,
  type OwnerId,
  type SigningKeyFact,
  scopeLengthMax,
  scopesPerKeyMax,
  type VersionFact,
  versionsKeptMax,
  versionsLiveMax,
} from '@keyswarm/core';
import type { SnapshotSink } from '../feed/feed-source.ts';
import { keyTraitsTextMax, signingKeyTextMax } from '../limits.ts';
import { keyIdOfWords } from '../verdict/key-id-text.ts';
import { BadFrame, UnknownVersion } from './bad-frame.ts';
import { ByteReader } from './byte-reader.ts';
import {
  factsFormat,
  keyFlags,
  keyStates,
  keyspaceFlags,
  ownerFlags,
  ownerKinds,
  placeMask,
  tags,
  thingStates,
  versionFlags,
  versionStates,
} from './facts-format.ts';

const idBytes = 16;
const utf8BytesPerCharacter = 4;
const wholeMax = Number.MAX_SAFE_INTEGER;
const versionNumberMax = 0x7fff_ffff;

export interface FactCounts {
  keys: number;
  owners: number;
  keyspaces: number;
  signingKeys: number;
}

/**
 * Facts out of the frames of one snapshot, in their order. They are applied without another look, so they are held to
 * what `decodeKeyFact` and its neighbours in core hold JSON to. Throws `BadFrame` at the first that isn't what a
 * sender writes; facts before it in the same frame may have been handed over.
 */
export class FactsDecoder {
  readonly counts: FactCounts = { keys: 0, owners: 0, keyspaces: 0, signingKeys: 0 };
  readonly #sink: Omit<SnapshotSink, 'stretch'>;
  #batches = 0;
  readonly #keyspaces: KeyspaceId[] = [];
  readonly #owners: OwnerId[] = [];
  readonly #scopes: (readonly string[])[] = [];

  constructor(sink: Omit<SnapshotSink, 'stretch'>) {
    this.#sink = sink;
  }

  read(payload: Uint8Array): void {
    const reader = new ByteReader(payload);
    if (reader.byte() !== factsFormat)
      throw new UnknownVersion('the facts are of a format that is not known here');
    if (reader.word() >>> 0 !== this.#batches)
      throw new BadFrame('a batch of facts is missing or out of place');
    this.#batches += 1;
    while (reader.hasMore) this.#entry(reader);
  }

  #entry(reader: ByteReader): void {
    const tag = reader.byte();
    if (tag === tags.key) {
      this.counts.keys += 1;
      this.#sink.key(this.#key(reader));
    } else if (tag === tags.owner) {
      this.counts.owners += 1;
      this.#sink.owner(this.#owner(reader));
    } else if (tag === tags.keyspace) {
      this.counts.keyspaces += 1;
      this.#sink.keyspace(this.#keyspace(reader));
    } else if (tag === tags.signingKey) {
      this.counts.signingKeys += 1;
      this.#sink.signingKey(readSigningKey(reader));
    } else if (tag === tags.scopes) this.#scopes.push(readScopes(reader));
    else if (tag === tags.ownerId) this.#owners.push(idFromUuidBytes('own', reader.bytes(idBytes)));
    else if (tag === tags.keyspaceId) this.#keyspaces.push(idFromUuidBytes('ks', reader.bytes(idBytes)));
    else throw new BadFrame('a fact of a kind that is not known here');
  }

  #keyspace(reader: ByteReader): KeyspaceFact {
    const id = idFromUuidBytes('ks', reader.bytes(idBytes));
    const workspaceId = idFromUuidBytes('ws', reader.bytes(idBytes));
    const flags = readFlags(reader, keyspaceFlags.all, 'keyspace.flags');
    const state = placeIn(thingStates, flags, 'keyspace.state');
    const revision = reader.whole(1, wholeMax, 'keyspace.revision');
    const leaseMs = reader.whole(leaseSecondsMin * 1000, leaseSecondsMax * 1000, 'keyspace.lease_ms');
    const name = reader.text(keyspaceNameLengthMax, 'keyspace.name');
    if (!isScopeSegment(name)) throw new BadFrame('keyspace.name is not the name of a keyspace');
    const keysNotBeforeMs = timeIf(reader, flags & keyspaceFlags.notBefore, 'keyspace.keys_not_before_ms');
    this.#keyspaces.push(id);
    const proof = (flags & keyspaceFlags.signature) === 0 ? {} : ({ proof: 'signature' } as const);
    return { id, workspaceId, revision, name, state, leaseMs, ...proof, keysNotBeforeMs };
  }

  #owner(reader: ByteReader): OwnerFact {
    const id = idFromUuidBytes('own', reader.bytes(idBytes));
    const flags = readFlags(reader, ownerFlags.all, 'owner.flags');
    const kind = placeIn(ownerKinds, flags, 'owner.kind');
    const state = (flags & ownerFlags.suspended) === 0 ? 'active' : 'suspended';
    const revision = reader.whole(1, wholeMax, 'owner.revision');
    const externalId = reader.text(externalIdLengthMax * utf8BytesPerCharacter, 'owner.external_id');
    if (!isWithinLength(externalId, externalIdLengthMax) || !isStorableText(externalId))
      throw new BadFrame(`owner.external_id is not a text of at most ${externalIdLengthMax} characters`);
    const keysNotBeforeMs = timeIf(reader, flags & ownerFlags.notBefore, 'owner.keys_not_before_ms');
    this.#owners.push(id);
    return { id, revision, kind, externalId, state, keysNotBeforeMs };
  }

  #key(reader: ByteReader): KeyFact {
    const id = keyIdOfWords(reader.word(), reader.word(), reader.word(), reader.word());
    const flags = readFlags(reader, keyFlags.all, 'key.flags');
    const state = placeIn(keyStates, flags, 'key.state');
    const revision = reader.whole(1, wholeMax, 'key.revision');
    const keyspaceId = named(this.#keyspaces, reader, 'key.keyspace');
    const ownerId = named(this.#owners, reader, 'key.owner');
    const scopes = named(this.#scopes, reader, 'key.scopes');
    const notBeforeMs = timeIf(reader, flags & keyFlags.notBefore, 'key.not_before_ms');
    const expiresAtMs = timeIf(reader, flags & keyFlags.expiry, 'key.expires_at_ms');
    const versions = readVersions(reader, (flags >>> keyFlags.versionsShift) & placeMask);
    const traits = (flags & keyFlags.traits) === 0 ? {} : { traits: readTraits(reader) };
    return {
      id,
      revision,
      keyspaceId,
      ownerId,
      scopes,
      state,
      notBeforeMs,
      expiresAtMs,
      ...traits,
      versions,
    };
  }
}

function readTraits(reader: ByteReader): KeyTraitsFact {
  const text = reader.text(keyTraitsTextMax, 'key.traits');
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch {
    throw new BadFrame('key.traits is not JSON');
  }
  const traits = decodeKeyTraitsFact(json);
  if (isBadRow(traits)) throw new BadFrame(`key.${traits.reason}`);
  return traits;
}

function readVersions(reader: ByteReader, count: number): readonly VersionFact[] {
  if (count < 1 || count > versionsKeptMax) throw new BadFrame('key.versions is not of 1 to 3');
  const versions: VersionFact[] = [];
  let previous = 0;
  let live = 0;
  for (let at = 0; at < count; at += 1) {
    const version = readVersion(reader);
    if (version.number <= previous) throw new BadFrame('key.versions is not ascending');
    previous = version.number;
    if (version.state !== 'retired') live += 1;
    versions.push(version);
  }
  if (live > versionsLiveMax)
    throw new BadFrame(`key.versions has more than ${versionsLiveMax} live versions`);
  return versions;
}

function readVersion(reader: ByteReader): VersionFact {
  const flags = readFlags(reader, versionFlags.all, 'version.flags');
  const state = placeIn(versionStates, flags, 'version.state');
  const retires = flags & versionFlags.retires;
  if (state === 'active' && retires !== 0) throw new BadFrame('a version is active and yet retires');
  if (state === 'grace' && retires === 0) throw new BadFrame('a version is in grace without an end');
  return {
    number: reader.whole(1, versionNumberMax, 'version.number'),
    fingerprint: reader.bytes(fingerprintFactBytes),
    state,
    mintedAtMs: reader.timeMs('version.minted_at_ms'),
    retiresAtMs: timeIf(reader, retires, 'version.retires_at_ms'),
  };
}

function readSigningKey(reader: ByteReader): SigningKeyFact {
  let json: unknown;
  try {
    json = JSON.parse(reader.text(signingKeyTextMax, 'signing_key'));
  } catch (error) {
    if (error instanceof BadFrame) throw error;
    throw new BadFrame('signing_key is not JSON');
  }
  const fact = decodeSigningKeyFact(json);
  if (isBadRow(fact)) throw new BadFrame(fact.reason);
  return fact;
}

/** Frozen, for every key of the set has it. */
function readScopes(reader: ByteReader): readonly string[] {
  const scopes: string[] = [];
  const count = reader.whole(0, scopesPerKeyMax, 'the number of scopes');
  let previous = '';
  for (let at = 0; at < count; at += 1) {
    const scope = reader.text(scopeLengthMax, 'scope');
    if (!isScope(scope) || scope <= previous)
      throw new BadFrame('the scopes are not a sorted list of scopes');
    scopes.push(scope);
    previous = scope;
  }
  return Object.freeze(scopes);
}

function readFlags(reader: ByteReader, all: number, what: string): number {
  const flags = reader.byte();
  if ((flags & ~all) !== 0) throw new BadFrame(`${what} is of a form that is not known here`);
  return flags;
}

function placeIn<Choice extends string>(choices: readonly Choice[], flags: number, what: string): Choice {
  const choice = choices[flags & placeMask];
  if (choice === undefined) throw new BadFrame(`${what} is none of ${choices.length} known values`);
  return choice;
}

function timeIf(reader: ByteReader, flag: number, what: string): number | null {
  return flag === 0 ? null : reader.timeMs(what);
}

function named<Thing>(things: readonly Thing[], reader: ByteReader, what: string): Thing {
  const thing = things[reader.whole(0, wholeMax, what)];
  if (thing === undefined) throw new BadFrame(`${what} names nothing that came before`);
  return thing;
}
