import { expect, test } from 'vitest';
import { systemTimers } from './timers.ts';

test('a cancelled timer never runs', async () => {
  let ran = 0;
  const cancels = [systemTimers.after(1, () => (ran += 1)), systemTimers.every(1, () => (ran += 1))];
  for (const cancel of cancels) cancel();
  await systemTimers.sleep(10);
  expect(ran).toBe(0);
});

test('a timer runs once, and a repeated one until it is cancelled', async () => {
  let once = 0;
  systemTimers.after(1, () => (once += 1));
  await new Promise<void>((resolve) => {
    let left = 3;
    const cancel = systemTimers.every(1, () => {
      left -= 1;
      if (left > 0) return;
      cancel();
      resolve();
    });
  });
  expect(once).toBe(1);
});

test('a sleep ends at once with the reason of its signal', async () => {
  const reason = new Error('enough');
  const controller = new AbortController();
  const slept = systemTimers.sleep(60_000, controller.signal);
  controller.abort(reason);
  await expect(slept).rejects.toBe(reason);
  await expect(systemTimers.sleep(60_000, controller.signal)).rejects.toBe(reason);
});
