import { assert, timeMsMax } from '@keyswarm/core';

const low7 = 0x7f;
const more = 0x80;

/** Fills a buffer from its beginning. Numbers are big-endian, or LEB128 where they are usually small. */
export class ByteWriter {
  readonly #bytes: Uint8Array;
  #at = 0;

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
  }

  get length(): number {
    return this.#at;
  }

  /** What has been written, in place. */
  get written(): Uint8Array {
    return this.#bytes.subarray(0, this.#at);
  }

  byte(value: number): void {
    this.#bytes[this.#at] = value;
    this.#at += 1;
  }

  uint32(value: number): void {
    for (let shift = 24; shift >= 0; shift -= 8) this.byte(value >>> shift);
  }

  /** A whole number from 0 to 2^53 - 1, seven bits a byte, the lowest first. */
  whole(value: number): void {
    assert(Number.isSafeInteger(value) && value >= 0, 'only whole numbers from 0 are written');
    let rest = value;
    while (rest > low7) {
      this.byte((rest % (low7 + 1)) | more);
      rest = Math.floor(rest / (low7 + 1));
    }
    this.byte(rest);
  }

  /** Six bytes. */
  timeMs(value: number): void {
    assert(Number.isSafeInteger(value) && value >= 0 && value <= timeMsMax, 'a time is Unix milliseconds');
    const high = Math.floor(value / 2 ** 32);
    this.byte(high >>> 8);
    this.byte(high);
    this.uint32(value >>> 0);
  }

  bytes(value: Uint8Array): void {
    assert(this.#at + value.length <= this.#bytes.length, 'there is room for what is written');
    this.#bytes.set(value, this.#at);
    this.#at += value.length;
  }

  /** Its length in bytes, and its UTF-8. */
  text(value: string): void {
    const utf8 = Buffer.from(value);
    this.whole(utf8.length);
    this.bytes(utf8);
  }
}
