import { crc32 as zlibCrc32 } from 'node:zlib';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { AssertionBroken } from '../errors/assert.ts';
import { checkProperty } from '../testing/check-property.arbitrary.ts';
import { crc32 } from './crc32.ts';
import {
  findKeyString,
  isKeyStringShape,
  isPrefix,
  keyStringPrefixLength,
  mintedKeyLengthMax,
  mintKeyString,
  parseKeyString,
} from './key-format.ts';
import { keyStrings, prefixes } from './key-string.arbitrary.ts';

const zeros = (count: number): Uint8Array => new Uint8Array(count);
const zeroKey = mintKeyString('demo', zeros);
const characters = fc.oneof(
  fc.constantFrom(...'0123456789ABCXYZabcxyz_-.: \u0000'),
  fc.string({ minLength: 1, maxLength: 1, unit: 'binary' }),
);

/** The format written down a second time, slowly: what the fast way has to agree with. */
function parsesByTheBook(text: string): boolean {
  const shape = /^([a-z][a-z0-9]*(?:_[a-z0-9]+)*)_[0-9A-Za-z]{27}1([0-9A-Za-z]{6})$/.exec(text);
  if (shape === null || (shape[1] ?? '').length > 24) return false;
  const alphabet = '0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz';
  const sum = [...(shape[2] ?? '')].reduce((total, digit) => total * 62 + alphabet.indexOf(digit), 0);
  return sum === zlibCrc32(text.slice(0, -6));
}

describe('a key string', () => {
  it('has prefix, 27 random characters, the format version and the checksum of all before it', () => {
    expect(zeroKey).toMatch(/^demo_0{27}1[0-9A-Za-z]{6}$/);
    expect(parsesByTheBook(zeroKey)).toBe(true);
    expect(parseKeyString(zeroKey)).toEqual({ prefix: 'demo' });
  });

  it('is parsed back to its prefix, whatever the prefix', () => {
    checkProperty(
      fc.property(keyStrings, ({ prefix, key }) => {
        expect(parseKeyString(key)).toEqual({ prefix });
        expect(keyStringPrefixLength(key)).toBe(prefix.length);
        expect(isKeyStringShape(key)).toBe(true);
        expect(key.length).toBeLessThanOrEqual(mintedKeyLengthMax);
      }),
      process.env,
    );
  });

  it('is refused after any change of a single character', () => {
    checkProperty(
      fc.property(keyStrings, fc.nat(), characters, ({ key }, place, character) => {
        const at = place % key.length;
        fc.pre(key[at] !== character);
        expect(parseKeyString(key.slice(0, at) + character + key.slice(at + 1))).toBeUndefined();
      }),
      process.env,
      1000,
    );
  });

  it('is refused after the loss of any part at either end, or of one character anywhere', () => {
    checkProperty(
      fc.property(keyStrings, fc.nat(), ({ key }, place) => {
        const cut = 1 + (place % (key.length - 1));
        expect(parseKeyString(key.slice(0, -cut))).toBeUndefined();
        expect(parseKeyString(key.slice(cut))).toBeUndefined();
        expect(parseKeyString(key.slice(0, cut - 1) + key.slice(cut))).toBeUndefined();
      }),
      process.env,
    );
  });

  it('is refused after any two different characters have changed places', () => {
    checkProperty(
      fc.property(keyStrings, fc.nat(), fc.nat(), ({ key }, one, other) => {
        const first = Math.min(one % key.length, other % key.length);
        const second = Math.max(one % key.length, other % key.length);
        fc.pre(key[first] !== key[second]);
        const swapped = [...key];
        swapped[first] = key.charAt(second);
        swapped[second] = key.charAt(first);
        expect(parseKeyString(swapped.join(''))).toBeUndefined();
      }),
      process.env,
      1000,
    );
  });

  it('is refused with anything before or after it', () => {
    for (const mangled of [
      ` ${zeroKey}`,
      `${zeroKey} `,
      `${zeroKey}\n`,
      `${zeroKey}\u0000`,
      `Bearer ${zeroKey}`,
    ]) {
      expect(parseKeyString(mangled)).toBeUndefined();
    }
  });

  it('is refused when it is empty, huge, or no key at all', () => {
    for (const text of ['', '_', '1', 'demo_', '_'.repeat(46), 'a'.repeat(1_000_000), '\ud800'.repeat(46)]) {
      expect(parseKeyString(text)).toBeUndefined();
      expect(isKeyStringShape(text)).toBe(false);
    }
  });

  it('is refused in another version of the format, be its checksum right', () => {
    for (const version of ['0', '2', 'a']) {
      const body = `demo_${'0'.repeat(27)}${version}`;
      const text = body + checksumOf(body);
      expect(parseKeyString(text)).toBeUndefined();
      expect(isKeyStringShape(text)).toBe(false);
      expect(findKeyString(text)).toBe(false);
    }
  });

  it('is judged as the format says, for texts that nearly are keys', () => {
    const nearly = fc
      .record({
        head: fc.stringMatching(/^[a-c0-9_A\u0100]{0,26}$/),
        tail: fc.stringMatching(/^[0-9A-Za-z]{26,28}1$/),
        separator: fc.constantFrom('_', '', '__', '-'),
        checksum: fc.constantFrom('right', 'wrong'),
      })
      .map(({ head, tail, separator, checksum }) => {
        const body = `${head}${separator}${tail}`;
        const ascii = body.replaceAll('\u0100', '\u0000');
        return body + (checksum === 'right' ? checksumOf(ascii) : '0AZaz9');
      });
    checkProperty(
      fc.property(nearly, (text) => {
        expect(parseKeyString(text) !== undefined).toBe(parsesByTheBook(text));
      }),
      process.env,
      1000,
    );
  });

  it('is made of every character with the same chance', () => {
    const counts = new Map<string, number>();
    for (let byte = 0; byte < 248; byte += 1) {
      const character = mintKeyString('demo', (count) => new Uint8Array(count).fill(byte)).charAt(5);
      counts.set(character, (counts.get(character) ?? 0) + 1);
    }
    expect([...counts.values()]).toEqual(new Array(62).fill(4));
  });

  it('throws away the bytes that would favour some characters', () => {
    let asked = 0;
    const uneven = (count: number): Uint8Array => {
      asked += 1;
      return asked <= 8 ? new Uint8Array(count).fill(247 + asked) : new Uint8Array(count);
    };
    expect(mintKeyString('demo', uneven)).toBe(zeroKey);
    expect(asked).toBe(9);
  });

  it('is not minted from a source that runs dry', () => {
    expect(() => mintKeyString('demo', () => new Uint8Array(0))).toThrow(AssertionBroken);
    expect(() => mintKeyString('Demo', zeros)).toThrow(AssertionBroken);
  });
});

describe('a prefix', () => {
  it('is lower case, begins with a letter and has single underscores inside', () => {
    for (const good of ['a', 'orders', 'orders_live', 'a1_2_b', 'a'.repeat(24)])
      expect(isPrefix(good)).toBe(true);
    const bad = ['', '1a', 'A', 'a_', '_a', 'a__b', 'a-b', 'ä', 'a b', 'a'.repeat(25), 'a\u0000', 'a\n'];
    for (const prefix of bad) expect(isPrefix(prefix)).toBe(false);
  });

  it('is what the grammar says', () => {
    checkProperty(
      fc.property(fc.oneof(prefixes, fc.stringMatching(/^[ab1_A]{0,26}$/)), (text) => {
        const byTheBook = text.length <= 24 && /^[a-z][a-z0-9]*(_[a-z0-9]+)*$/.test(text);
        expect(isPrefix(text)).toBe(byTheBook);
      }),
      process.env,
    );
  });
});

describe('a key string inside a text', () => {
  it('is found wherever it stands', () => {
    checkProperty(
      fc.property(keyStrings, fc.string(), fc.string(), ({ key }, before, after) => {
        expect(findKeyString(before + key + after)).toBe(true);
      }),
      process.env,
    );
    expect(findKeyString(`GET /v1/keys/verify?key=${zeroKey}&x=1`)).toBe(true);
    expect(findKeyString(`x_y_${zeroKey}zzz`)).toBe(true);
  });

  it('is not seen where there is none', () => {
    checkProperty(
      fc.property(fc.string(), (text) => !findKeyString(text)),
      process.env,
    );
    for (const text of [
      '',
      '_',
      '_'.repeat(100_000),
      `demo_${'0'.repeat(100_000)}`,
      `${zeroKey.slice(0, -1)}!`,
    ]) {
      expect(findKeyString(text)).toBe(false);
    }
  });
});

describe('the checksum', () => {
  it('is CRC-32 as zlib has it', () => {
    expect(crc32('123456789')).toBe(0xcbf43926);
    checkProperty(
      fc.property(fc.string({ unit: 'binary-ascii', maxLength: 80 }), (text) => {
        expect(crc32(text)).toBe(zlibCrc32(text));
      }),
      process.env,
    );
  });
});

function checksumOf(body: string): string {
  const alphabet = '0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz';
  let rest = zlibCrc32(body);
  let text = '';
  for (let digit = 0; digit < 6; digit += 1) {
    text = alphabet.charAt(rest % 62) + text;
    rest = Math.floor(rest / 62);
  }
  return text;
}
