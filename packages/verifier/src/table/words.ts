import { assert } from '@keyswarm/core';

/** 16 bytes as four big-endian words, which is how records hold fingerprints and ids. */
export function wordsOfBytes(bytes: Uint8Array): Int32Array {
  assert(bytes.length === 16, 'a fingerprint and a key id have 16 bytes');
  const words = new Int32Array(4);
  for (let at = 0; at < 16; at += 1) words[at >>> 2] = ((words[at >>> 2] ?? 0) << 8) | (bytes[at] ?? 0);
  return words;
}

/** The other way round: four words of a record, beginning at `from`. */
export function bytesOfWords(page: Int32Array, from: number): Uint8Array {
  const bytes = new Uint8Array(16);
  for (let at = 0; at < 16; at += 1) bytes[at] = (page[from + (at >>> 2)] ?? 0) >>> (24 - 8 * (at & 3));
  return bytes;
}
