import { assert } from '../errors/assert.ts';
import { prefixLengthMax } from '../limits/limits.ts';
import {
  base62Alphabet,
  base62Bound,
  base62Number,
  base62Six,
  base62Value,
  isBase62Between,
} from './base62.ts';
import { crc32, crc32Between, crcEnd, crcStart, crcStep, crcStepFour } from './crc32.ts';

/*
 * A key string is `{prefix}_{27 base62}{1 version}{6 base62 of CRC-32}`. The prefix says to people and to leak
 * scanners which access point it is for; 27 base62 characters hold 160 random bits; version and checksum stand
 * last, so that a typo, a cut or a swap is refused without any look-up, and a scanner can tell a true key from
 * something that only looks like one. The checksum covers all before it, prefix and version too.
 *
 * The version is that of this *format*; which secret of its key a string is, only the store knows.
 *
 * Everything here runs on strings of strangers, before anything else is known of them: lengths are bounded
 * first, each character is looked at a bounded number of times, and nothing throws.
 */

/** The one format there is. A later one gets the next character, and old keys keep theirs. */
export const formatVersion = '1';

const randomLength = 27;
const checksumLength = 6;
/** What follows the separator: random part, version, checksum. */
export const keyTailLength = randomLength + 1 + checksumLength;
export const mintedKeyLengthMin = 1 + 1 + keyTailLength;
export const mintedKeyLengthMax = prefixLengthMax + 1 + keyTailLength;

const underscore = 0x5f;
const versionCode = formatVersion.charCodeAt(0);

/** Largest multiple of 62 in a byte: what lies above is thrown away, or the first 8 characters would be likelier. */
const unbiasedBelow = 248;

/** A new key string. `random(n)` must give n bytes of cryptographic randomness at each call. */
export function mintKeyString(prefix: string, random: (bytes: number) => Uint8Array): string {
  assert(isPrefix(prefix), 'a key is minted with a well-formed prefix');
  let text = `${prefix}_`;
  let missing = randomLength;
  while (missing > 0) {
    const bytes = random(missing + 4);
    assert(bytes.length >= missing, 'the random source gives as many bytes as asked for');
    for (const byte of bytes) {
      if (missing > 0 && byte < unbiasedBelow) {
        text += base62Alphabet.charAt(byte % 62);
        missing -= 1;
      }
    }
  }
  text += formatVersion;
  return text + base62Six(crc32(text));
}

/** The prefix of a well-formed key string with a right checksum; undefined for any other text. */
export function parseKeyString(text: string): { readonly prefix: string } | undefined {
  const prefixLength = keyStringPrefixLength(text);
  return prefixLength === 0 ? undefined : { prefix: text.slice(0, prefixLength) };
}

/**
 * The same without making anything: the length of the prefix, or 0 where `parseKeyString` gives undefined. One
 * pass reads each character once, for its class and for the checksum together: reading is what costs (measured:
 * two passes, shape and then checksum, took twice as long).
 */
export function keyStringPrefixLength(text: string): number {
  if (text.length < mintedKeyLengthMin || text.length > mintedKeyLengthMax) return 0;
  const separatorAt = text.length - keyTailLength - 1;
  if (!isLower(text.charCodeAt(0))) return 0;
  let crc = crcStart;
  let previous = 0;
  for (let at = 0; at <= separatorAt; at += 1) {
    const code = text.charCodeAt(at);
    if (!isLowerOrDigit(code) && (code !== underscore || previous === underscore)) return 0;
    crc = crcStep(crc, code);
    previous = code;
  }
  if (previous !== underscore) return 0;
  return isTailRight(text, separatorAt + 1, crc) ? separatorAt : 0;
}

/** 28 characters that the checksum covers, the last of them the version, and the six of the checksum. */
function isTailRight(text: string, from: number, crcOfHead: number): boolean {
  const checksumAt = from + randomLength + 1;
  let crc = crcOfHead;
  let marks = 0;
  let last = 0;
  for (let at = from; at < checksumAt; at += 4) {
    const first = text.charCodeAt(at);
    const second = text.charCodeAt(at + 1);
    const third = text.charCodeAt(at + 2);
    last = text.charCodeAt(at + 3);
    marks |= base62Value(first) | base62Value(second) | base62Value(third) | base62Value(last);
    crc = crcStepFour(crc, first | (second << 8) | (third << 16) | (last << 24));
  }
  return marks < base62Bound && last === versionCode && base62Number(text, checksumAt) === crcEnd(crc);
}

/** Length, alphabet, separator and version are right; the checksum is not looked at. */
export function isKeyStringShape(text: string): boolean {
  if (text.length < mintedKeyLengthMin || text.length > mintedKeyLengthMax) return false;
  const separatorAt = text.length - keyTailLength - 1;
  return isTailAt(text, separatorAt) && isPrefixBetween(text, 0, separatorAt);
}

/** `[a-z][a-z0-9]*(_[a-z0-9]+)*`, at most 24 characters. */
export function isPrefix(text: string): boolean {
  return text.length <= prefixLengthMax && isPrefixBetween(text, 0, text.length);
}

/**
 * Does a well-formed key string with a right checksum stand anywhere in this text? For URLs and log lines, where
 * none should. Time is linear in the text: only every 35th character can be a separator with a full tail after
 * it, and for each of them at most 24 beginnings are tried.
 */
export function findKeyString(text: string): boolean {
  let separatorAt = text.indexOf('_', 1);
  while (separatorAt !== -1 && separatorAt + keyTailLength < text.length) {
    if (isTailAt(text, separatorAt) && hasPrefixWithChecksum(text, separatorAt)) return true;
    separatorAt = text.indexOf('_', separatorAt + 1);
  }
  return false;
}

function hasPrefixWithChecksum(text: string, separatorAt: number): boolean {
  const checksumAt = separatorAt + 1 + randomLength + 1;
  const checksum = base62Number(text, checksumAt);
  const first = Math.max(0, separatorAt - prefixLengthMax);
  for (let from = separatorAt - 1; from >= first; from -= 1) {
    const code = text.charCodeAt(from);
    if (!isLowerOrDigit(code) && code !== underscore) return false;
    if (isPrefixBetween(text, from, separatorAt) && crc32Between(text, from, checksumAt) === checksum)
      return true;
  }
  return false;
}

function isTailAt(text: string, separatorAt: number): boolean {
  return (
    text.charCodeAt(separatorAt) === underscore &&
    text.charCodeAt(separatorAt + 1 + randomLength) === versionCode &&
    isBase62Between(text, separatorAt + 1, separatorAt + 1 + keyTailLength)
  );
}

function isPrefixBetween(text: string, from: number, to: number): boolean {
  if (from >= to) return false;
  if (!isLower(text.charCodeAt(from))) return false;
  let afterUnderscore = false;
  for (let at = from + 1; at < to; at += 1) {
    const code = text.charCodeAt(at);
    if (code === underscore) {
      if (afterUnderscore) return false;
      afterUnderscore = true;
    } else {
      if (!isLowerOrDigit(code)) return false;
      afterUnderscore = false;
    }
  }
  return !afterUnderscore;
}

function isLower(code: number): boolean {
  return code >= 0x61 && code <= 0x7a;
}

function isLowerOrDigit(code: number): boolean {
  return (code >= 0x61 && code <= 0x7a) || (code >= 0x30 && code <= 0x39);
}
