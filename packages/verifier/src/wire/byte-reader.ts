import { timeMsMax } from '@keyswarm/core';
import { BadFrame } from './bad-frame.ts';

const low7 = 0x7f;
const wholeBytesMax = 8;
const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

/** Takes apart what a `ByteWriter` wrote. Throws `BadFrame` where it ends too early or holds what is never written. */
export class ByteReader {
  readonly #bytes: Uint8Array;
  #at = 0;

  constructor(bytes: Uint8Array) {
    // Of a Buffer, `slice` would be no copy.
    this.#bytes = new Uint8Array(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  }

  get hasMore(): boolean {
    return this.#at < this.#bytes.length;
  }

  byte(): number {
    const value = this.#bytes[this.#at];
    if (value === undefined) throw new BadFrame('the facts are cut off');
    this.#at += 1;
    return value;
  }

  /** As a signed word. */
  word(): number {
    const at = this.#skip(4);
    const bytes = this.#bytes;
    const high = ((bytes[at] ?? 0) << 24) | ((bytes[at + 1] ?? 0) << 16);
    return high | ((bytes[at + 2] ?? 0) << 8) | (bytes[at + 3] ?? 0);
  }

  whole(min: number, max: number, what: string): number {
    let value = 0;
    let unit = 1;
    for (let count = 0; count < wholeBytesMax; count += 1) {
      const byte = this.byte();
      value += (byte & low7) * unit;
      if (byte <= low7) {
        if (value < min || value > max) throw new BadFrame(`${what} is not from ${min} to ${max}`);
        return value;
      }
      unit *= low7 + 1;
    }
    throw new BadFrame(`${what} is not a whole number`);
  }

  timeMs(what: string): number {
    const high = (this.byte() << 8) | this.byte();
    const value = high * 2 ** 32 + (this.word() >>> 0);
    if (value > timeMsMax) throw new BadFrame(`${what} is no time`);
    return value;
  }

  /** A copy, so that whoever keeps it doesn't keep the frame. */
  bytes(length: number): Uint8Array {
    const at = this.#skip(length);
    return this.#bytes.slice(at, at + length);
  }

  text(bytesMax: number, what: string): string {
    const length = this.whole(0, bytesMax, what);
    const at = this.#skip(length);
    try {
      return utf8.decode(this.#bytes.subarray(at, at + length));
    } catch {
      throw new BadFrame(`${what} is not UTF-8`);
    }
  }

  #skip(length: number): number {
    const at = this.#at;
    if (length > this.#bytes.length - at) throw new BadFrame('the facts are cut off');
    this.#at += length;
    return at;
  }
}
