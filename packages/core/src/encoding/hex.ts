/*
 * Lower-case hexadecimal through tables: ids and fingerprints go through here for every row of a snapshot, and
 * the core has no Buffer.
 */

const pairs: readonly string[] = Array.from({ length: 256 }, (_, byte) => byte.toString(16).padStart(2, '0'));

const invalid = 0xff;
const nibbles = new Uint8Array(128).fill(invalid);
for (let value = 0; value < 16; value += 1) nibbles[value.toString(16).charCodeAt(0)] = value;

export function hexOf(bytes: Uint8Array): string {
  let text = '';
  for (const byte of bytes) text += pairs[byte];
  return text;
}

/** Exactly `length` bytes from exactly twice as many lower-case digits; else undefined. */
export function bytesOfHex(text: string, length: number): Uint8Array | undefined {
  if (text.length !== length * 2) return undefined;
  const bytes = new Uint8Array(length);
  for (let at = 0; at < length; at += 1) {
    const high = nibbles[text.charCodeAt(at * 2)] ?? invalid;
    const low = nibbles[text.charCodeAt(at * 2 + 1)] ?? invalid;
    if (high === invalid || low === invalid) return undefined;
    bytes[at] = high * 16 + low;
  }
  return bytes;
}

/** The character code of one digit, 0 to 15. */
export function hexCode(value: number): number {
  return value < 10 ? 0x30 + value : 0x57 + value;
}
