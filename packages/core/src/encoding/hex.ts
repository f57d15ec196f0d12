/*
 * Lower-case hexadecimal through tables: ids and fingerprints go through here for every row of a snapshot, and
 * the core has no Buffer.
 */

const pairs: readonly string[] = Array.from({ length: 256 }, (_, byte) => byte.toString(16).padStart(2, '0'));

/** A digit is below 16, so that any number of digits OR-ed together stay below it too. */
const invalid = 0xff;
const nibbles = new Uint8Array(0x1_0000).fill(invalid);
for (let value = 0; value < 16; value += 1) {
  const digit = value.toString(16);
  nibbles[digit.charCodeAt(0)] = value;
  nibbles[digit.toUpperCase().charCodeAt(0)] = value;
}

export function hexOf(bytes: Uint8Array): string {
  let text = '';
  for (const byte of bytes) text += pairs[byte];
  return text;
}

/** Exactly `length` bytes from exactly twice as many lower-case digits; else undefined. */
export function bytesOfHex(text: string, length: number): Uint8Array | undefined {
  if (text.length !== length * 2) return undefined;
  const bytes = new Uint8Array(length);
  let seen = 0;
  for (let at = 0; at < text.length; at += 2) {
    const highCode = text.charCodeAt(at);
    const lowCode = text.charCodeAt(at + 1);
    if (isUpper(highCode) || isUpper(lowCode)) return undefined;
    const high = hexValue(highCode);
    const low = hexValue(lowCode);
    seen |= high | low;
    bytes[at >>> 1] = (high << 4) | low;
  }
  return seen > 15 ? undefined : bytes;
}

/** The character code of one digit, 0 to 15. */
export function hexCode(value: number): number {
  return value < 10 ? 0x30 + value : 0x57 + value;
}

/** The value of a digit in either case; 255 for a character that is none. */
export function hexValue(code: number): number {
  return nibbles[code] as number;
}

function isUpper(code: number): boolean {
  return code >= 0x41 && code <= 0x46;
}
