import { expect, test } from 'vitest';
import { paced } from './paced.ts';
import { ListedTimers } from './testing/fake-workers.ts';

test('what is asked for often runs at once, then at its pace, and after the last asking', () => {
  const timers = new ListedTimers();
  let runs = 0;
  const ask = paced({
    timers,
    pauseMs: 20,
    run: () => {
      runs += 1;
    },
  });
  ask();
  expect(runs).toBe(1);
  for (let asked = 0; asked < 100; asked += 1) ask();
  expect(runs).toBe(1);
  timers.fire(20);
  expect(runs).toBe(2);
  timers.fire(20);
  expect(runs).toBe(2);
  ask();
  expect(runs).toBe(3);
});
