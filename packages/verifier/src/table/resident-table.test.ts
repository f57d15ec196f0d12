import { type KeyFact, uuidBytesOf, type VersionFact } from '@keyswarm/core';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { checkProperty } from '../testing/check-property.arbitrary.ts';
import {
  hourMs,
  keyFact,
  keyId,
  keyspaceId,
  ownerFact,
  ownerId,
  sampleSeed,
  startMs,
  versionFact,
} from '../testing/sample-facts.arbitrary.ts';
import {
  endMsAt,
  keyStateIn,
  mintedAtMsAt,
  revisionOf,
  versionNumberOf,
  versionStateIn,
} from './record-fields.ts';
import { word } from './record-pages.ts';
import { notBeforeMsOf, ResidentTable } from './resident-table.ts';
import { wordsOfBytes } from './words.ts';

/** Everything the table says of one version, or undefined: read back through the index, as a verification does. */
function lookUp(table: ResidentTable, fingerprint: Uint8Array, key: number) {
  const [w0 = 0, w1 = 0, w2 = 0, w3 = 0] = wordsOfBytes(fingerprint);
  const wanted = [...wordsOfBytes(uuidBytesOf(keyId(key)))];
  const record = table.index
    .findAll(w0, w1, w2, w3)
    .find((found) => wanted.every((part, at) => table.records.get(found, word.keyId + at) === part));
  expect(table.index.find(w0, w1, w2, w3) !== 0).toBe(table.index.findAll(w0, w1, w2, w3).length > 0);
  if (record === undefined) return undefined;
  const page = table.records.pageOf(record);
  const from = table.records.offsetOf(record);
  const standing = page[from + word.owner] ?? 0;
  return {
    revision: revisionOf(table.records, table.wide, record),
    number: versionNumberOf(table.records, table.wide, record),
    keyState: keyStateIn(standing),
    versionState: versionStateIn(standing),
    endMs: endMsAt(page, from),
    mintedAtMs: mintedAtMsAt(page, from),
    notBeforeMs: notBeforeMsOf(table, record, standing),
    scopes: table.scopeSets.scopes((page[from + word.scopes] ?? 0) >>> 5),
    keyspaceId: table.keyspaces.entry((page[from + word.keyspace] ?? 0) >>> 10).id,
  };
}

function expected(fact: KeyFact, version: VersionFact) {
  const never = Number.POSITIVE_INFINITY;
  return {
    revision: fact.revision,
    number: version.number,
    keyState: fact.state,
    versionState: version.state,
    endMs: Math.min(fact.expiresAtMs ?? never, version.retiresAtMs ?? never),
    mintedAtMs: version.mintedAtMs,
    notBeforeMs: fact.notBeforeMs ?? Number.NEGATIVE_INFINITY,
    scopes: fact.scopes,
    keyspaceId: fact.keyspaceId,
  };
}

/** The rule of `resident-table.ts`, in the plainest way: versions in a Map, all of a key's found by a walk. */
class TableModel {
  readonly versions = new Map<string, { fact: KeyFact; version: VersionFact; circle: number }>();
  #circles = 0;

  apply(key: number, fact: KeyFact): void {
    const known = fact.versions.flatMap((version) => this.versions.get(nameOf(key, version)) ?? []);
    const newest = Math.max(0, ...known.map((entry) => entry.fact.revision));
    const isNew = fact.revision > newest;
    const ended = known.filter((entry) => isNew || entry.fact.revision < newest).map((entry) => entry.circle);
    for (const [name, entry] of this.versions) if (ended.includes(entry.circle)) this.versions.delete(name);
    if (!isNew) return;
    this.#circles += 1;
    for (const version of fact.versions) {
      this.versions.set(nameOf(key, version), { fact, version, circle: this.#circles });
    }
  }
}

const nameOf = (key: number, version: VersionFact) => `${key} ${version.number}`;

const factsOfKey = fc
  .record({
    key: fc.integer({ min: 1, max: 2 }),
    revision: fc.integer({ min: 1, max: 8 }),
    first: fc.integer({ min: 1, max: 6 }),
    count: fc.integer({ min: 1, max: 3 }),
    state: fc.constantFrom('active' as const, 'suspended' as const, 'revoked' as const),
    scopes: fc.constantFrom(['orders:*'], ['orders:read', 'orders:write'], []),
    notBeforeMs: fc.option(fc.constantFrom(startMs, startMs + hourMs)),
    expiresAtMs: fc.option(fc.constantFrom(startMs + hourMs, 253_402_300_799_999)),
    grace: fc.boolean(),
    place: fc.integer({ min: 1, max: 3 }),
  })
  .map((drawn) => ({
    key: drawn.key,
    fact: keyFact(drawn.key, {
      revision: drawn.revision,
      state: drawn.state,
      scopes: drawn.scopes,
      notBeforeMs: drawn.notBeforeMs,
      expiresAtMs: drawn.expiresAtMs,
      ownerId: ownerId(drawn.place),
      keyspaceId: keyspaceId(drawn.place),
      versions: Array.from({ length: drawn.count }, (_, at) =>
        at < drawn.count - 1 && drawn.grace
          ? versionFact(drawn.key, drawn.first + at, { state: 'grace', retiresAtMs: startMs + hourMs / 2 })
          : versionFact(drawn.key, drawn.first + at, { mintedAtMs: startMs + at }),
      ),
    }),
  }));

describe('the resident table', () => {
  it('says what a plain Map says, whatever facts come in whatever order', () => {
    checkProperty(
      fc.property(fc.array(factsOfKey, { maxLength: 60 }), (facts) => {
        const table = new ResidentTable(sampleSeed);
        const model = new TableModel();
        for (const { key, fact } of facts) {
          table.applyKey(fact);
          model.apply(key, fact);
          expect(table.records.live).toBe(model.versions.size);
        }
        for (let key = 1; key <= 2; key += 1) {
          for (let number = 1; number <= 9; number += 1) {
            const version = versionFact(key, number);
            const entry = model.versions.get(nameOf(key, version));
            const said = lookUp(table, version.fingerprint, key);
            expect(said).toEqual(entry === undefined ? undefined : expected(entry.fact, entry.version));
          }
        }
      }),
      process.env,
      60,
    );
  });

  it('ends the circle that a fact from the future left behind, once a row meets both', () => {
    const table = new ResidentTable(sampleSeed);
    const named = (revision: number, ...numbers: readonly number[]) =>
      keyFact(1, { revision, versions: numbers.map((number) => versionFact(1, number)) });
    table.applyKey(named(1, 1));
    table.applyKey(named(5, 3, 4, 5));
    table.applyKey(named(2, 1, 2));
    expect(table.records.live).toBe(5);
    table.applyKey(named(3, 2, 3));
    const left = [1, 2, 3, 4, 5].filter((number) => find(table, versionFact(1, number).fingerprint) !== 0);
    expect(left).toEqual([3, 4, 5]);
  });

  it('keeps every version while the index and the pages grow under deletions', () => {
    const table = new ResidentTable(sampleSeed);
    const fingerprints = new Map<number, Uint8Array>();
    for (let key = 0; key < 20_000; key += 1) {
      const fingerprint = randomLike(key);
      table.applyKey(plainKey(key, 1, fingerprint));
      fingerprints.set(key, fingerprint);
      if (key % 3 === 2) {
        // Rotated away at once: the old version goes, a new one comes.
        const next = randomLike(key + 1_000_000);
        table.applyKey({
          ...plainKey(key, 2, fingerprint),
          versions: [plain(1, fingerprint), plain(2, next)],
        });
        table.applyKey({ ...plainKey(key, 3, next), versions: [plain(2, next)] });
        fingerprints.set(key, next);
        expect(find(table, fingerprint)).toBe(0);
      }
    }
    expect(table.records.live).toBe(20_000);
    for (const fingerprint of fingerprints.values()) expect(find(table, fingerprint)).not.toBe(0);
    expect(table.records.end).toBeLessThan(20_003);
  });

  it('costs at most 80 bytes a version at every size from ten thousand up, growth included', () => {
    const table = new ResidentTable(sampleSeed);
    let worst = 0;
    for (let key = 0; key < 200_000; key += 1) {
      table.applyKey(plainKey(key, 1, randomLike(key)));
      if (key >= 10_000) worst = Math.max(worst, table.bytes / (key + 1));
    }
    expect(worst).toBeLessThanOrEqual(80);
    expect(worst).toBeGreaterThan(70);
    while (!table.index.settle(1_000_000));
    expect(table.bytes / 200_000).toBeLessThan(73);
  });

  it('is not crowded by fingerprints that an importer chose', () => {
    const chosen = new ResidentTable(sampleSeed);
    const count = 20_000;
    for (let key = 0; key < count; key += 1) {
      const fingerprint = new Uint8Array(16);
      new DataView(fingerprint.buffer).setUint32(12, key);
      chosen.applyKey(plainKey(key, 1, fingerprint));
    }
    expect(chosen.index.longestRun()).toBeLessThan(200);
  });

  it('keeps two keys with one secret apart, and forgets either without the other', () => {
    const table = new ResidentTable(sampleSeed);
    const shared = versionFact(1);
    table.applyKey(keyFact(1, { versions: [shared] }));
    table.applyKey(keyFact(2, { versions: [shared, versionFact(2, 2)] }));
    expect(table.hasTwins).toBe(true);
    table.applyKey(keyFact(2, { revision: 2, versions: [versionFact(2, 2)] }));
    expect(table.hasTwins).toBe(false);
    expect(lookUp(table, shared.fingerprint, 1)).toBeDefined();
    expect(lookUp(table, shared.fingerprint, 2)).toBeUndefined();
  });

  it('holds version numbers and revisions that outgrow their bits', () => {
    const table = new ResidentTable(sampleSeed);
    for (const [number, revision] of [
      [2 ** 20 - 2, 2 ** 32 - 2],
      [2 ** 20 - 1, 2 ** 32 - 1],
      [2 ** 31 - 1, Number.MAX_SAFE_INTEGER],
    ] as const) {
      const version = versionFact(1, number);
      table.applyKey(keyFact(1, { revision, versions: [version] }));
      expect(lookUp(table, version.fingerprint, 1)).toMatchObject({ number, revision });
    }
  });

  it('gives back what churn has used: records, scope sets, and owners and keyspaces that were never seen', () => {
    const table = new ResidentTable(sampleSeed);
    table.owners.apply(ownerFact(1));
    for (let turn = 1; turn <= 2000; turn += 1) {
      table.applyKey(
        keyFact(1, {
          revision: turn,
          scopes: [`orders:${turn}`],
          ownerId: ownerId(turn),
          keyspaceId: keyspaceId(turn),
          versions: turn === 1 ? [versionFact(1, 1)] : [versionFact(1, turn - 1), versionFact(1, turn)],
        }),
      );
    }
    expect(table.records.end).toBeLessThan(10);
    expect(table.scopeSets.size).toBe(1);
    expect(table.owners.size).toBe(2);
    expect(table.keyspaces.size).toBe(1);
    expect(table.graceUses.size).toBe(0);
  });

  it('refuses a fact that could only be half applied, and changes nothing', () => {
    const table = new ResidentTable(sampleSeed);
    const fact = keyFact(1, { versions: [versionFact(1), versionFact(1, 2, { mintedAtMs: -1 })] });
    expect(() => table.applyKey(fact)).toThrow('Unix milliseconds');
    expect(table.records.live).toBe(0);
  });
});

function plain(number: number, fingerprint: Uint8Array): VersionFact {
  return { number, fingerprint, state: 'active', mintedAtMs: startMs, retiresAtMs: null };
}

const ids = Array.from({ length: 16 }, (_, at) => keyId(at));

/** Cheap to make by the ten thousand: key ids repeat, fingerprints don't, and no circle is ever shared. */
function plainKey(key: number, revision: number, fingerprint: Uint8Array): KeyFact {
  const id = ids[key % ids.length] ?? keyId(0);
  return { ...cheap, id, revision, versions: [plain(1, fingerprint)] };
}

const cheap = keyFact(0);

/** 16 bytes as scattered as a hash, different for each number. */
function randomLike(number: number): Uint8Array {
  const bytes = new Uint8Array(16);
  const view = new DataView(bytes.buffer);
  let state = (number + 1) * 0x9e3779b1;
  for (let at = 0; at < 16; at += 4) {
    state = Math.imul(state ^ (state >>> 15), 0x85ebca6b) ^ (number + at);
    view.setInt32(at, state);
  }
  view.setUint32(8, number);
  return bytes;
}

function find(table: ResidentTable, fingerprint: Uint8Array): number {
  const [w0 = 0, w1 = 0, w2 = 0, w3 = 0] = wordsOfBytes(fingerprint);
  return table.index.find(w0, w1, w2, w3);
}
