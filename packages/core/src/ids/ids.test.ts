import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { AssertionBroken } from '../errors/assert.ts';
import { checkProperty } from '../testing/check-property.arbitrary.ts';
import {
  idFromUuidBytes,
  idFromUuidText,
  idTimeMs,
  parseId,
  shardOfHash,
  shardOfId,
  uuidBytesOf,
  uuidHexOf,
} from './id-codec.ts';
import { uuidV7, uuidV8FromHash } from './uuid.ts';

const uuids = fc.uint8Array({ minLength: 16, maxLength: 16 });
const tens = fc.uint8Array({ minLength: 10, maxLength: 10 });
const times = fc.integer({ min: 0, max: 253_402_300_799_999 });
const kinds = fc.constantFrom('ws', 'ks', 'own', 'key');
const shardCounts = fc.constantFrom(1, 2, 4, 8, 16, 32, 64, 128, 256);

describe('an id', () => {
  it('is the TypeID of its UUID (vectors of the TypeID specification)', () => {
    const vectors = [
      ['00000000-0000-0000-0000-000000000000', '00000000000000000000000000'],
      ['00000000-0000-0000-0000-00000000000a', '0000000000000000000000000a'],
      ['ffffffff-ffff-ffff-ffff-ffffffffffff', '7zzzzzzzzzzzzzzzzzzzzzzzzz'],
      ['01890a5d-ac96-774b-bcce-b302099a8057', '01h455vb4pex5vsknk084sn02q'],
      ['01102030-4050-6070-8090-a0b0c0d0e0f0', '0123456789abcdefghjkmnpqrs'],
    ];
    for (const [uuid = '', suffix] of vectors.slice(0, 4)) {
      expect(idFromUuidText('key', uuid)).toBe(`key_${suffix}`);
    }
    expect(parseId('key', `key_${vectors[4]?.[1]}`)).toBeDefined();
  });

  it('gives back the bytes and the uuid text that it was made from', () => {
    checkProperty(
      fc.property(kinds, uuids, (kind, bytes) => {
        const id = idFromUuidBytes(kind, bytes);
        expect(uuidBytesOf(id)).toEqual(bytes);
        expect(parseId(kind, id)).toBe(id);
        expect(uuidHexOf(id)).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/);
        expect(idFromUuidText(kind, uuidHexOf(id))).toBe(id);
        expect(idFromUuidText(kind, uuidHexOf(id).replaceAll('-', '').toUpperCase())).toBe(id);
      }),
      process.env,
    );
  });

  it('sorts by the time it was made', () => {
    checkProperty(
      fc.property(times, times, tens, tens, (one, other, random, otherRandom) => {
        fc.pre(one < other);
        const earlier = idFromUuidBytes('key', uuidV7(one, random));
        const later = idFromUuidBytes('key', uuidV7(other, otherRandom));
        expect(earlier < later).toBe(true);
        expect(idTimeMs(earlier)).toBe(one);
      }),
      process.env,
    );
  });

  it('sorts as its bytes do', () => {
    checkProperty(
      fc.property(uuids, uuids, (one, other) => {
        const at = one.findIndex((byte, place) => byte !== other[place]);
        fc.pre(at >= 0);
        const ascending = (one[at] ?? 0) < (other[at] ?? 0);
        expect(idFromUuidBytes('key', one) < idFromUuidBytes('key', other)).toBe(ascending);
      }),
      process.env,
    );
  });

  it('is of one kind, and parsed to the letter', () => {
    const id = idFromUuidBytes('key', uuidV7(1_700_000_000_000, new Uint8Array(10)));
    const bad = [
      '',
      'key_',
      id.toUpperCase(),
      id.slice(0, -1),
      `${id}0`,
      ` ${id}`,
      id.replace('key_', 'own_'),
      `key_8${id.slice(5)}`,
      `key_${'z'.repeat(26)}`,
      `${id.slice(0, -1)}u`,
      `${id.slice(0, -1)}\u0100`,
      `key_${'0'.repeat(1_000_000)}`,
    ];
    for (const text of bad) expect(parseId('key', text)).toBeUndefined();
  });

  it('parses nothing but what it writes', () => {
    checkProperty(
      fc.property(fc.stringMatching(/^key_[0-8][0-9a-hjkmnp-tv-z]{23,24}[0-9a-zA]$/), (text) => {
        const id = parseId('key', text);
        const byTheBook = /^key_[0-7][0-9a-hjkmnp-tv-z]{25}$/.test(text);
        expect(id !== undefined).toBe(byTheBook);
        if (id !== undefined) expect(idFromUuidBytes('key', uuidBytesOf(id))).toBe(text);
      }),
      process.env,
    );
  });

  it('has no time if it was made of a name', () => {
    const id = idFromUuidBytes('own', uuidV8FromHash(new Uint8Array(32).fill(9)));
    expect(idTimeMs(id)).toBeUndefined();
  });
});

describe('a UUID', () => {
  it('carries version and variant of RFC 9562', () => {
    checkProperty(
      fc.property(times, tens, fc.uint8Array({ minLength: 32, maxLength: 32 }), (timeMs, random, hash) => {
        for (const [uuid, version] of [
          [uuidV7(timeMs, random), 7],
          [uuidV8FromHash(hash), 8],
        ] as const) {
          expect((uuid[6] ?? 0) >>> 4).toBe(version);
          expect((uuid[8] ?? 0) >>> 6).toBe(2);
        }
      }),
      process.env,
    );
  });

  it('leaves the hash it is made of alone', () => {
    const hash = new Uint8Array(32).fill(0xff);
    uuidV8FromHash(hash);
    expect(hash).toEqual(new Uint8Array(32).fill(0xff));
  });

  it('is not made of nonsense', () => {
    expect(() => uuidV7(-1, new Uint8Array(10))).toThrow(AssertionBroken);
    expect(() => uuidV7(1.5, new Uint8Array(10))).toThrow(AssertionBroken);
    expect(() => uuidV7(0, new Uint8Array(9))).toThrow(AssertionBroken);
    expect(() => uuidV7(0, new Uint8Array(10), 256)).toThrow(AssertionBroken);
    expect(() => idFromUuidText('key', 'nonsense')).toThrow(AssertionBroken);
    expect(() => idFromUuidText('key', '01890a5d_ac96-774b-bcce-b302099a8057')).toThrow(AssertionBroken);
  });
});

describe('a shard', () => {
  it('is the last byte of the UUID, so an id can be made to fall into one', () => {
    checkProperty(
      fc.property(times, tens, fc.nat(255), shardCounts, (timeMs, random, lastByte, shards) => {
        const id = idFromUuidBytes('key', uuidV7(timeMs, random, lastByte));
        expect(shardOfId(id, shards)).toBe(lastByte % shards);
        expect(shardOfHash(uuidBytesOf(id), shards)).toBe(lastByte % shards);
      }),
      process.env,
    );
  });

  it('is counted in powers of two', () => {
    for (const shards of [0, 3, 512, -1, 1.5]) {
      expect(() => shardOfHash(new Uint8Array(32), shards)).toThrow(AssertionBroken);
    }
  });
});
