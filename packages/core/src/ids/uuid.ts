import { hexCode, hexValue } from '../encoding/hex.ts';
import { assert } from '../errors/assert.ts';
import { timeMsMax } from '../limits/limits.ts';

/**
 * UUIDv7 (RFC 9562, section 5.7): 48 bits of Unix milliseconds, then randomness. `lastByte`, if given, replaces
 * the last random byte, so that an id can be made to fall into a chosen shard; 66 random bits are left.
 */
export function uuidV7(timeMs: number, random10: Uint8Array, lastByte?: number): Uint8Array {
  assert(Number.isSafeInteger(timeMs) && timeMs >= 0 && timeMs <= timeMsMax, 'a time is whole milliseconds');
  assert(random10.length === 10, 'a UUIDv7 takes 10 random bytes');
  const bytes = new Uint8Array(16);
  const high = Math.floor(timeMs / 0x1_0000_0000);
  const low = timeMs >>> 0;
  bytes[0] = high >>> 8;
  bytes[1] = high;
  bytes[2] = low >>> 24;
  bytes[3] = low >>> 16;
  bytes[4] = low >>> 8;
  bytes[5] = low;
  bytes.set(random10, 6);
  if (lastByte !== undefined) {
    assert(Number.isInteger(lastByte) && lastByte >= 0 && lastByte <= 255, 'a byte is 0 to 255');
    bytes[15] = lastByte;
  }
  return stamp(bytes, 7);
}

/** UUIDv8 (RFC 9562, section 5.8) of the first 16 bytes of a hash: the same name gives the same id everywhere. */
export function uuidV8FromHash(hash: Uint8Array): Uint8Array {
  assert(hash.length >= 16, 'a hash has at least 16 bytes');
  return stamp(hash.slice(0, 16), 8);
}

/** Where each byte's two digits stand in the text; the rest of it are hyphens. */
const digitAt = new Uint8Array([0, 2, 4, 6, 9, 11, 14, 16, 19, 21, 24, 26, 28, 30, 32, 34]);
const hyphen = 0x2d;

/** Filled anew at each call and read before it returns: an array a call cost a third of the time (measured). */
const scratch = new Array<number>(36).fill(hyphen);

/** `xxxxxxxx-xxxx-xxxx-xxxx-xxxxxxxxxxxx`, as SQL wants a uuid. */
export function uuidTextOf(bytes: Uint8Array): string {
  assert(bytes.length === 16, 'a UUID has 16 bytes');
  for (let byte = 0; byte < 16; byte += 1) {
    const value = bytes[byte] as number;
    const at = digitAt[byte] as number;
    scratch[at] = hexCode(value >>> 4);
    scratch[at + 1] = hexCode(value & 15);
  }
  return String.fromCharCode.apply(null, scratch);
}

/** The 16 bytes of a UUID with or without its hyphens, in either case; undefined for any other text. */
export function uuidBytesOfText(text: string): Uint8Array | undefined {
  const hyphenated = text.length === 36;
  if (!hyphenated && text.length !== 32) return undefined;
  if (hyphenated && !hasHyphens(text)) return undefined;
  const bytes = new Uint8Array(16);
  let seen = 0;
  for (let byte = 0; byte < 16; byte += 1) {
    const at = hyphenated ? (digitAt[byte] as number) : byte * 2;
    const high = hexValue(text.charCodeAt(at));
    const low = hexValue(text.charCodeAt(at + 1));
    seen |= high | low;
    bytes[byte] = (high << 4) | low;
  }
  return seen > 15 ? undefined : bytes;
}

export function uuidVersionOf(bytes: Uint8Array): number {
  return (bytes[6] ?? 0) >>> 4;
}

function stamp(bytes: Uint8Array, version: number): Uint8Array {
  bytes[6] = version * 16 + ((bytes[6] ?? 0) & 0x0f);
  bytes[8] = 0x80 | ((bytes[8] ?? 0) & 0x3f);
  return bytes;
}

function hasHyphens(text: string): boolean {
  return (
    text.charCodeAt(8) === hyphen &&
    text.charCodeAt(13) === hyphen &&
    text.charCodeAt(18) === hyphen &&
    text.charCodeAt(23) === hyphen
  );
}
