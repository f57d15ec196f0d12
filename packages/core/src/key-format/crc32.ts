/*
 * CRC-32 (IEEE 802.3, reflected, as in zlib). It catches every change of one character, every burst of up to
 * four and every swap of two characters in what it covers; it is a check against typing and cutting, not a
 * signature, and nothing relies on it for security.
 */

export const crcTable = new Int32Array(256);
for (let byte = 0; byte < 256; byte += 1) {
  let value = byte;
  for (let bit = 0; bit < 8; bit += 1) value = (value & 1) === 1 ? (value >>> 1) ^ 0xedb88320 : value >>> 1;
  crcTable[byte] = value;
}

/** Unsigned CRC-32 of a text of single-byte characters (ASCII). */
export function crc32(text: string): number {
  return crc32Between(text, 0, text.length);
}

/** The same over `text[from, to)`, without cutting it out. */
export function crc32Between(text: string, from: number, to: number): number {
  let crc = -1;
  for (let at = from; at < to; at += 1) {
    crc = (crc >>> 8) ^ (crcTable[(crc ^ text.charCodeAt(at)) & 0xff] ?? 0);
  }
  return ~crc >>> 0;
}
