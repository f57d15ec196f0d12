import {
  assert,
  bytesOfHex,
  decodeKeyTraits,
  type IdKind,
  type IdKinds,
  idFromUuidText,
  type KeyFact,
  type KeyspaceFact,
  type OwnerFact,
  traitsMemberOf,
  type VersionFact,
  versionsKeptMax,
} from '@keyswarm/core';

/** Ids and scope sets that are remembered; past this all are forgotten and learnt again. */
const rememberedMax = 50_000;

const uuidLength = 36;

/**
 * Facts out of the lines of `storage/statements/snapshot-pages.ts`. What many keys share (keyspace, owner, scope
 * set) is decoded once and is then one object in memory.
 */
export class SnapshotLines {
  readonly #ids = new Map<string, string>();
  readonly #scopes = new Map<string, readonly string[]>();

  keyspaceFact(line: string): KeyspaceFact {
    const [id, workspaceId, revision, name, state, leaseSeconds, keysNotBefore, proof] = fields(line, 8);
    return {
      id: idFromUuidText('ks', id),
      workspaceId: this.#id('ws', workspaceId),
      revision: Number(revision),
      name,
      state: state as KeyspaceFact['state'],
      leaseMs: Number(leaseSeconds) * 1000,
      ...(proof === 'signature' ? { proof } : {}),
      keysNotBeforeMs: timeMs(keysNotBefore),
    };
  }

  ownerFact(line: string): OwnerFact {
    const [id, revision, kind, state, keysNotBefore, externalId] = fields(line, 6);
    return {
      id: idFromUuidText('own', id),
      revision: Number(revision),
      kind: kind as OwnerFact['kind'],
      externalId: String(JSON.parse(externalId)),
      state: state as OwnerFact['state'],
      keysNotBeforeMs: timeMs(keysNotBefore),
    };
  }

  /** Both lists are of the same keys, each in any order. */
  *keyFacts(keys: readonly string[], versions: readonly string[]): Generator<KeyFact> {
    const versionsByKey = new Map<string, VersionFact[]>();
    for (const line of versions) {
      const keyUuid = line.slice(0, uuidLength);
      const known = versionsByKey.get(keyUuid);
      if (known === undefined) versionsByKey.set(keyUuid, [versionFact(line)]);
      else known.push(versionFact(line));
    }
    for (const line of keys) {
      const own = versionsByKey.get(line.slice(0, uuidLength));
      assert(own !== undefined, 'every key has a version');
      yield this.#keyFact(line, newest(own));
    }
  }

  #keyFact(line: string, versions: readonly VersionFact[]): KeyFact {
    const [id, revision, keyspaceId, ownerId, state, notBefore, expiresAt, scopes, traits] = fields(line, 9);
    return {
      id: idFromUuidText('key', id),
      revision: Number(revision),
      keyspaceId: this.#id('ks', keyspaceId),
      ownerId: this.#id('own', ownerId),
      scopes: this.#scopeSet(scopes),
      state: state as KeyFact['state'],
      notBeforeMs: timeMs(notBefore),
      expiresAtMs: timeMs(expiresAt),
      ...(traits === '-' ? {} : traitsMemberOf(decodeKeyTraits(JSON.parse(traits)))),
      versions,
    };
  }

  #id<Kind extends IdKind>(kind: Kind, uuid: string): IdKinds[Kind] {
    const known = this.#ids.get(uuid);
    if (known !== undefined) return known as IdKinds[Kind];
    if (this.#ids.size >= rememberedMax) this.#ids.clear();
    const id = idFromUuidText(kind, uuid);
    this.#ids.set(uuid, id);
    return id;
  }

  #scopeSet(text: string): readonly string[] {
    const known = this.#scopes.get(text);
    if (known !== undefined) return known;
    if (this.#scopes.size >= rememberedMax) this.#scopes.clear();
    const scopes = text === '' ? [] : text.split(',');
    this.#scopes.set(text, scopes);
    return scopes;
  }
}

/** What a fact carries of a key's versions: the newest few, ascending. */
function newest(versions: VersionFact[]): readonly VersionFact[] {
  if (versions.length === 1) return versions;
  return versions.sort((a, b) => a.number - b.number).slice(-versionsKeptMax);
}

function versionFact(line: string): VersionFact {
  const [, number, fingerprintHex, state, minted, retires] = fields(line, 6);
  const fingerprint = bytesOfHex(fingerprintHex, 16);
  assert(fingerprint !== undefined, 'a version has a fingerprint');
  return {
    number: Number(number),
    fingerprint,
    state: state as VersionFact['state'],
    mintedAtMs: Number(minted),
    retiresAtMs: timeMs(retires),
  };
}

function timeMs(text: string): number | null {
  return text === '-' ? null : Number(text);
}

type Fields = [string, string, string, string, string, string, string, string, string];

/** The last field takes the rest of the line, spaces and all. */
function fields(line: string, count: number): Fields {
  const parts: Fields = ['', '', '', '', '', '', '', '', ''];
  let from = 0;
  for (let at = 0; at < count - 1; at += 1) {
    const end = line.indexOf(' ', from);
    assert(end >= 0, 'a line of a snapshot has all its fields');
    parts[at] = line.slice(from, end);
    from = end + 1;
  }
  parts[count - 1] = line.slice(from);
  return parts;
}
