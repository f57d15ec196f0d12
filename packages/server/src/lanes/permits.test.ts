import { expect, test } from 'vitest';
import { systemTimers } from '../runtime/timers.ts';
import { Permits, type Release } from './permits.ts';

/** Timers that fire when the test says so. */
function handTimers() {
  const due: (() => void)[] = [];
  const after = (_ms: number, run: () => void) => {
    due.push(run);
    return () => {
      const at = due.indexOf(run);
      if (at >= 0) due.splice(at, 1);
    };
  };
  return { timers: { ...systemTimers, after }, due };
}

/** Whoever takes one, and the order in which they got it. */
function takersOf(permits: Permits) {
  const order: string[] = [];
  const take = async (name: string): Promise<Release> => {
    const release = await permits.take();
    order.push(name);
    return release;
  };
  return { take, order };
}

const settled = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

test('permits are handed over in order, and no more are out than there are', async () => {
  const { timers, due } = handTimers();
  const permits = new Permits({ count: 1, extra: 0, overdueMs: 100 }, timers);
  const { take, order } = takersOf(permits);
  const first = await take('first');
  const [second, third] = [take('second'), take('third')];
  for (const run of [...due]) run();
  await settled();
  expect(order).toEqual(['first']);
  first();
  first();
  (await second)();
  (await third)();
  expect(order).toEqual(['first', 'second', 'third']);
  expect(due).toHaveLength(0);
});

test('who has waited for long gets one that is kept for that, in the order of the line, and it is gone when nobody waits', async () => {
  const { timers, due } = handTimers();
  const permits = new Permits({ count: 1, extra: 1, overdueMs: 100 }, timers);
  const { take, order } = takersOf(permits);
  const first = await take('first');
  const [second, third] = [take('second'), take('third')];
  due[0]?.();
  await settled();
  expect(order).toEqual(['first', 'second']);
  due[0]?.();
  await settled();
  expect(order).toEqual(['first', 'second']);
  (await second)();
  const release = await third;
  expect(order).toEqual(['first', 'second', 'third']);
  first();
  release();
  const again = await take('again');
  const late = take('late');
  await settled();
  expect(order).toEqual(['first', 'second', 'third', 'again']);
  again();
  (await late)();
});
