import { assert } from '../errors/assert.ts';

/*
 * Crockford's base32 as TypeID uses it: lower case, 128 bits in 26 characters, two zero bits in front (so the
 * first character is at most '7'). Ten bits at a time through a table of pairs; no BigInt.
 */

const alphabet = '0123456789abcdefghjkmnpqrstvwxyz';
export const base32Length = 26;

const pairs: string[] = [];
for (const high of alphabet) for (const low of alphabet) pairs.push(high + low);

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

/** `head` followed by the 26 characters of 16 bytes. */
export function encodeBase32(head: string, bytes: Uint8Array): string {
  assert(bytes.length === 16, 'a UUID has 16 bytes');
  let text = head;
  // The two zero bits in front are there from the start: `bits` counts them in, `held` is zero.
  let held = 0;
  let bits = 2;
  for (const byte of bytes) {
    held = (held << 8) | byte;
    bits += 8;
    if (bits >= 10) {
      bits -= 10;
      text += pairs[(held >>> bits) & 0x3ff];
      held &= (1 << bits) - 1;
    }
  }
  return text;
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
