import { expect, it } from 'vitest';
import { zipf } from './zipf.ts';

it('draws every rank, the first one most, and none that is not there', () => {
  let lot = 0;
  const draw = zipf(50, () => {
    lot = (lot + 0.00017) % 1;
    return lot;
  });
  const seen = new Map<number, number>();
  for (let times = 0; times < 6000; times += 1) {
    const rank = draw();
    seen.set(rank, (seen.get(rank) ?? 0) + 1);
  }
  expect([...seen.keys()].sort((a, b) => a - b)).toEqual(Array.from({ length: 50 }, (_, rank) => rank));
  expect(seen.get(0)).toBeGreaterThan(1.8 * (seen.get(1) ?? 0));
  expect(seen.get(0)).toBeGreaterThan(8 * (seen.get(9) ?? 0));
});
