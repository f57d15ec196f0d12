import { expect, it } from 'vitest';
import { checkClock } from './check-server.ts';

const serverSays = 'Thu, 01 Jan 2026 00:00:00 GMT';
const serverMs = Date.parse(serverSays);

it.each([
  [0, 'ok'],
  [-1_500, 'ok'],
  [2_400, 'ok'],
  [-10_000, 'warning'],
  [10_000, 'warning'],
  [-3_600_000, 'fault'],
])('a clock that is %d ms off the header is %s', (offsetMs, state) => {
  expect(checkClock(serverSays, 0, serverMs + offsetMs).state).toBe(state);
});

it('allows for the time that the answer took, and says who is ahead', () => {
  expect(checkClock(serverSays, 20_000, serverMs + 10_000).state).toBe('ok');
  expect(checkClock(serverSays, 0, serverMs + 30_000).detail).toContain('behind');
  expect(checkClock(serverSays, 0, serverMs - 30_000).detail).toContain('ahead');
});

it('is only a warning where the server does not say its time', () => {
  expect(checkClock(null, 0).state).toBe('warning');
});
