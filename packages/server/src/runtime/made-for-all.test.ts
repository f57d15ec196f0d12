import { expect, test } from 'vitest';
import { madeForAll } from './made-for-all.ts';

test('is made once for all who ask before it is begun, and anew for who asks after', async () => {
  let begun = 0;
  const turns: (() => void)[] = [];
  const ask = madeForAll(async () => {
    begun += 1;
    const made = begun;
    await new Promise<void>((resolve) => turns.push(resolve));
    return made;
  });
  const [first, beside] = [ask(), ask()];
  await Promise.resolve();
  const late = ask();
  const later = ask();
  await Promise.resolve();
  expect(begun).toBe(1);
  turns[0]?.();
  expect(await Promise.all([first, beside])).toEqual([1, 1]);
  await Promise.resolve();
  turns[1]?.();
  expect(await Promise.all([late, later])).toEqual([2, 2]);
});

test('one that fails is told to who asked for it, and the next is made all the same', async () => {
  let times = 0;
  const ask = madeForAll(async () => {
    times += 1;
    if (times === 1) throw new Error('not this time');
    return times;
  });
  await expect(ask()).rejects.toThrow('not this time');
  expect(await ask()).toBe(2);
});
