import { describe, expect, it } from 'vitest';
import { hasControlCharacter, isStorableText, isWithinLength } from './check-text.ts';

describe('text from outside', () => {
  it('can be stored unless it holds U+0000 or half of a surrogate pair', () => {
    for (const text of ['', 'abc', 'ä€', '\u{1f41d}', 'line\nbreak']) expect(isStorableText(text)).toBe(true);
    for (const text of ['\u0000', 'a\u0000b', '\ud83d', '\udc1d', '\udc1d\ud83d']) {
      expect(isStorableText(text)).toBe(false);
    }
  });

  it('is as long as it has characters, not code units', () => {
    expect(isWithinLength('\u{1f41d}'.repeat(4), 4)).toBe(true);
    expect(isWithinLength('\u{1f41d}'.repeat(5), 4)).toBe(false);
    expect(isWithinLength('abcd', 4)).toBe(true);
    expect(isWithinLength('abcde', 4)).toBe(false);
    expect(isWithinLength('a'.repeat(10_000_000), 4)).toBe(false);
  });

  it('has control characters of both kinds found', () => {
    for (const text of ['\u0000', 'a\n', '\u001b[31m', '\u007f', '\u009b'])
      expect(hasControlCharacter(text)).toBe(true);
    for (const text of ['', 'plain', 'ä\u{1f41d}\u00a0']) expect(hasControlCharacter(text)).toBe(false);
  });
});
