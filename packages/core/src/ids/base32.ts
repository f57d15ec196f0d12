import { assert } from '../errors/assert.ts';

/*
 * Crockford's base32 as TypeID uses it: lower case, 128 bits in 26 characters, two zero bits in front (so the
 * first character is at most '7'). Through tables, forty bits at a time; no BigInt.
 */

const alphabet = '0123456789abcdefghjkmnpqrstvwxyz';
export const base32Length = 26;

const codes = new Uint8Array(32);
for (let value = 0; value < 32; value += 1) codes[value] = alphabet.charCodeAt(value);

const invalid = 0xff;
const values = new Uint8Array(128).fill(invalid);
for (let value = 0; value < 32; value += 1) values[alphabet.charCodeAt(value)] = value;

/** The 5 bits of a character, or 255 where it is none of the alphabet. */
export function base32Value(code: number): number {
  return values[code] ?? invalid;
}

/** Exactly 26 characters of the alphabet from `from`, and no more than 128 bits. */
export function isBase32At(text: string, from: number): boolean {
  if (text.length !== from + base32Length || base32Value(text.charCodeAt(from)) > 7) return false;
  for (let at = from + 1; at < text.length; at += 1) {
    if (base32Value(text.charCodeAt(at)) === invalid) return false;
  }
  return true;
}

/**
 * `head` followed by the 26 characters of 16 bytes: two for the first byte, then eight for every five. Whole
 * groups go through one `fromCharCode`, because joining pieces makes ropes that the next reader has to flatten
 * (measured: half the time of a loop over pairs).
 */
export function encodeBase32(head: string, bytes: Uint8Array): string {
  assert(bytes.length === 16, 'a UUID has 16 bytes');
  const first = byteAt(bytes, 0);
  const two = String.fromCharCode(codeOf(first >>> 5), codeOf(first & 31));
  return head + two + eightOf(bytes, 1) + eightOf(bytes, 6) + eightOf(bytes, 11);
}

/** The 16 bytes of the 26 characters from `from`. The text must be well formed. */
export function decodeBase32(text: string, from: number): Uint8Array {
  assert(text.length === from + base32Length, 'an id ends with 26 characters');
  const bytes = new Uint8Array(16);
  let held = base32Value(text.charCodeAt(from));
  assert(held <= 7, 'an id holds 128 bits');
  let bits = 3;
  let filled = 0;
  for (let at = from + 1; at < text.length; at += 1) {
    const value = base32Value(text.charCodeAt(at));
    assert(value !== invalid, 'an id is made of base32 characters');
    held = ((held & 0xff) << 5) | value;
    bits += 5;
    if (bits >= 8) {
      bits -= 8;
      bytes[filled] = (held >>> bits) & 0xff;
      filled += 1;
    }
  }
  return bytes;
}

function eightOf(bytes: Uint8Array, at: number): string {
  const high = byteAt(bytes, at);
  const low =
    (byteAt(bytes, at + 1) << 24) |
    (byteAt(bytes, at + 2) << 16) |
    (byteAt(bytes, at + 3) << 8) |
    byteAt(bytes, at + 4);
  return String.fromCharCode(
    codeOf(high >>> 3),
    codeOf(((high & 7) << 2) | (low >>> 30)),
    codeOf((low >>> 25) & 31),
    codeOf((low >>> 20) & 31),
    codeOf((low >>> 15) & 31),
    codeOf((low >>> 10) & 31),
    codeOf((low >>> 5) & 31),
    codeOf(low & 31),
  );
}

// The indices are in range by the shape of the code above, so neither look-up can miss.
const codeOf = (value: number): number => codes[value] as number;
const byteAt = (bytes: Uint8Array, at: number): number => bytes[at] as number;
