/*
 * CRC-32 (IEEE 802.3, reflected, as in zlib). It catches every change of one character, every burst of up to
 * four and every swap of two characters in what it covers; it is a check against typing and cutting, not a
 * signature, and nothing relies on it for security.
 *
 * Four tables, so that four characters go in at once: one at a time, each look-up waits for the one before, and
 * the checksum of a key took a third longer (measured).
 */

const table0 = new Int32Array(256);
const table1 = new Int32Array(256);
const table2 = new Int32Array(256);
const table3 = new Int32Array(256);
for (let byte = 0; byte < 256; byte += 1) {
  let value = byte;
  for (let bit = 0; bit < 8; bit += 1) value = (value & 1) === 1 ? (value >>> 1) ^ 0xedb88320 : value >>> 1;
  table0[byte] = value;
}
for (let byte = 0; byte < 256; byte += 1) {
  table1[byte] = crcStep(table0[byte] as number, 0);
  table2[byte] = crcStep(table1[byte] as number, 0);
  table3[byte] = crcStep(table2[byte] as number, 0);
}

/** What a running checksum starts with; the checksum is its complement at the end. */
export const crcStart = -1;

/** One more character, of which only the low byte counts. An index masked to eight bits is always in the table. */
export function crcStep(crc: number, code: number): number {
  return (crc >>> 8) ^ (table0[(crc ^ code) & 0xff] as number);
}

/** Four more characters, the first in the low byte. */
export function crcStepFour(crc: number, codes: number): number {
  const mixed = crc ^ codes;
  return (
    (table3[mixed & 0xff] as number) ^
    (table2[(mixed >>> 8) & 0xff] as number) ^
    (table1[(mixed >>> 16) & 0xff] as number) ^
    (table0[mixed >>> 24] as number)
  );
}

export function crcEnd(crc: number): number {
  return ~crc >>> 0;
}

/** Unsigned CRC-32 of a text of single-byte characters (ASCII). */
export function crc32(text: string): number {
  return crc32Between(text, 0, text.length);
}

/** The same over `text[from, to)`, without cutting it out. */
export function crc32Between(text: string, from: number, to: number): number {
  let crc = crcStart;
  for (let at = from; at < to; at += 1) crc = crcStep(crc, text.charCodeAt(at));
  return crcEnd(crc);
}
