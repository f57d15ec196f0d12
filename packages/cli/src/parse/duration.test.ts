import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { InputError } from '../input-error.ts';
import { formatDurationMs, parseDurationSeconds } from './duration.ts';

describe('a duration', () => {
  it.each([
    ['45s', 45],
    ['90m', 5_400],
    ['12h', 43_200],
    ['90d', 7_776_000],
    ['2w', 1_209_600],
    ['1h30m', 5_400],
    ['0s', 0],
  ])('%s is %d seconds', (text, seconds) => {
    expect(parseDurationSeconds(text, '--ttl')).toBe(seconds);
  });

  it.each(['', '90', 'd', '1.5h', '-1d', '1h ', '1 h', '1y', '9999999999999999d', '1h-30m'])(
    'refuses %j, and names the option',
    (text) => {
      expect(() => parseDurationSeconds(text, '--ttl')).toThrow(InputError);
      expect(() => parseDurationSeconds(text, '--ttl')).toThrow(expect.objectContaining({ field: '--ttl' }));
    },
  );

  it('reads back whatever whole number of one unit it is given', () => {
    fc.assert(
      fc.property(fc.nat(1_000_000), (value) => {
        expect(parseDurationSeconds(`${value}h`, '--ttl')).toBe(value * 3_600);
      }),
    );
  });

  it.each([
    [0, '0ms'],
    [12, '12ms'],
    [1_000, '1s'],
    [61_000, '1m 1s'],
    [90_061_000, '1d 1h'],
    [-5, '0ms'],
  ])('%d ms reads %s', (durationMs, text) => {
    expect(formatDurationMs(durationMs)).toBe(text);
  });
});
