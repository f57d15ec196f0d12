import { describe, expect, it } from 'vitest';
import { ofText, progressPercent } from './numbers.ts';

describe('a part of a whole', () => {
  it.each([
    [417, 12_400, '417 of 12.4 k'],
    [10_000, 10_000, '10.0 k of 10.0 k'],
    [9_999, 10_000, '9,999 of 10.0 k'],
    [10_001, 10_004, '10,001 of 10,004'],
    [99_960, 99_999, '99,960 of 99,999'],
    [1_234_500, 1_234_567, '1,234,500 of 1,234,567'],
    [0, 0, '0 of 0'],
  ])('%i of %i never looks whole while it is not', (part, whole, text) => {
    expect(ofText(part, whole)).toBe(text);
  });

  it('fills its bar only once it is whole', () => {
    expect(progressPercent(9_999_999, 10_000_000)).toBe(99.9);
    expect(progressPercent(10_000_000, 10_000_000)).toBe(100);
    expect(progressPercent(0, 0)).toBe(100);
    expect(progressPercent(1, 3)).toBe(33.3);
  });
});
