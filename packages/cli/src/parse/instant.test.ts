import { describe, expect, it } from 'vitest';
import { parseInstant } from './instant.ts';

describe('an instant', () => {
  it.each(['2030-01-31T12:00:00Z', '2030-01-31T12:00:00.123Z', '2028-02-29T23:59:59+02:00'])(
    'is passed on as it was written: %s',
    (text) => {
      expect(parseInstant(text, '--expires-at')).toBe(text);
    },
  );

  it.each([
    '2030-01-31',
    'tomorrow',
    '',
    '2030-02-30T00:00:00Z',
    '2030-13-01T00:00:00Z',
    '2030-01-31 12:00:00Z',
  ])('is refused under the name of its option, with one that would do: %j', (text) => {
    expect(() => parseInstant(text, '--expires-at')).toThrow(
      expect.objectContaining({
        field: '--expires-at',
        expected: 'RFC 3339, such as 2030-01-31T12:00:00Z',
      }),
    );
  });
});
