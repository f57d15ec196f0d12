import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { checkProperty } from '../testing/check-property.arbitrary.ts';
import { bytesOfHex, hexOf } from './hex.ts';

describe('hexadecimal', () => {
  it('gives back the bytes that it was written from', () => {
    checkProperty(
      fc.property(fc.uint8Array({ maxLength: 40 }), (bytes) => {
        expect(bytesOfHex(hexOf(bytes), bytes.length)).toEqual(bytes);
      }),
      process.env,
    );
  });

  it('is exactly as long as asked for, in lower case, and nothing else', () => {
    expect(bytesOfHex('00ff', 2)).toEqual(new Uint8Array([0, 255]));
    for (const text of [
      '',
      '00f',
      '00ff0',
      '00FF',
      '00fF',
      '00fg',
      '00f ',
      '00f\u0100',
      '00f\u0000',
      '0x00',
    ]) {
      expect(bytesOfHex(text, 2), text).toBeUndefined();
    }
  });
});
