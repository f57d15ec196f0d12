import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { checkProperty } from './check-property.arbitrary.ts';

describe('a property that fails', () => {
  const below = fc.property(fc.nat(1000), (value) => value < 500);

  it('names the command that replays it', () => {
    expect(() => checkProperty(below, { SEED: '7', RUNS: '50' })).toThrow(
      /SEED=7 RUNS=50 npx vitest run --project unit packages\/core\/src\/testing\/check-property\.test\.ts -t "a property that fails names the command/,
    );
  });

  it('fails in the same way for the same seed', () => {
    const messageOf = (): string => {
      try {
        checkProperty(below, { SEED: '11', RUNS: '50' });
      } catch (error) {
        return String(error);
      }
      return '';
    };
    expect(messageOf()).not.toBe('');
    expect(messageOf()).toBe(messageOf());
  });
});
