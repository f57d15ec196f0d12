import { expect, test } from 'vitest';
import { systemClock } from './clock.ts';

test('the monotonic clock never goes back, and the wall clock is whole milliseconds', () => {
  let last = systemClock.monotonicMs();
  for (let round = 0; round < 1000; round += 1) {
    const now = systemClock.monotonicMs();
    expect(now).toBeGreaterThanOrEqual(last);
    last = now;
  }
  expect(Number.isInteger(systemClock.nowMs())).toBe(true);
});
