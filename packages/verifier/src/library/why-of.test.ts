import { expect, test } from 'vitest';
import { whyOf } from './why-of.ts';

test.each([
  [new Error('no answer in 2000 ms'), 'no answer in 2000 ms'],
  [new Error('fetch failed', { cause: new Error('refused', { cause: 'x' }) }), 'fetch failed: refused: x'],
  [new Error('fetch failed: refused', { cause: new Error('refused') }), 'fetch failed: refused'],
  [Object.assign(new AggregateError([]), { code: 'ECONNREFUSED' }), 'ECONNREFUSED'],
  ['text', 'text'],
])('an error is told in one line, with its causes and without its stack: %s', (error, line) => {
  expect(whyOf(error)).toBe(line);
});

test('an error that causes itself comes to an end', () => {
  const error = new Error('again');
  error.cause = error;
  expect(whyOf(error)).toBe('again');
});
