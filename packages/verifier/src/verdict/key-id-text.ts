import type { KeyId } from '@keyswarm/core';

/*
 * The id of a key from the four words that a record holds. `idFromUuidBytes` of core says the same of 16 bytes;
 * this one exists because every VALID verdict spells an id. All thirty characters in one call make one flat
 * string in 65 ns; joining a pair at a time leaves a rope (85 ns, and 80 more for whoever reads it first), and a
 * Buffer's `latin1Slice` takes 95. A test holds this and core together.
 */

const alphabet = '0123456789abcdefghjkmnpqrstvwxyz';
const codes = Uint8Array.from(alphabet, (character) => character.charCodeAt(0));

const five = 31;

export function keyIdOfWords(a: number, b: number, c: number, d: number): KeyId {
  const text = String.fromCharCode(
    0x6b,
    0x65,
    0x79,
    0x5f,
    codes[a >>> 29] ?? 0,
    codes[(a >>> 24) & five] ?? 0,
    codes[(a >>> 19) & five] ?? 0,
    codes[(a >>> 14) & five] ?? 0,
    codes[(a >>> 9) & five] ?? 0,
    codes[(a >>> 4) & five] ?? 0,
    codes[((a << 1) | (b >>> 31)) & five] ?? 0,
    codes[(b >>> 26) & five] ?? 0,
    codes[(b >>> 21) & five] ?? 0,
    codes[(b >>> 16) & five] ?? 0,
    codes[(b >>> 11) & five] ?? 0,
    codes[(b >>> 6) & five] ?? 0,
    codes[(b >>> 1) & five] ?? 0,
    codes[((b << 4) | (c >>> 28)) & five] ?? 0,
    codes[(c >>> 23) & five] ?? 0,
    codes[(c >>> 18) & five] ?? 0,
    codes[(c >>> 13) & five] ?? 0,
    codes[(c >>> 8) & five] ?? 0,
    codes[(c >>> 3) & five] ?? 0,
    codes[((c << 2) | (d >>> 30)) & five] ?? 0,
    codes[(d >>> 25) & five] ?? 0,
    codes[(d >>> 20) & five] ?? 0,
    codes[(d >>> 15) & five] ?? 0,
    codes[(d >>> 10) & five] ?? 0,
    codes[(d >>> 5) & five] ?? 0,
    codes[d & five] ?? 0,
  );
  return text as KeyId;
}
