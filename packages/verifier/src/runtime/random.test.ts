import { expect, test } from 'vitest';
import { PooledRandom, unitInterval } from './random.ts';

const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex');

test('no bytes are handed out twice, across many pages and odd sizes', () => {
  const random = new PooledRandom();
  const seen = new Set<string>();
  for (let round = 0; round < 3000; round += 1) seen.add(hex(random.bytes(16 + (round % 17))));
  expect(seen.size).toBe(3000);
});

test('what was handed out stays as it was when more is drawn', () => {
  const random = new PooledRandom();
  const first = random.bytes(32);
  const before = hex(first);
  for (let round = 0; round < 1000; round += 1) random.bytes(32);
  expect(hex(first)).toBe(before);
});

test('a request larger than a page is filled, and an impossible one is refused', () => {
  const random = new PooledRandom();
  expect(
    random
      .bytes(10_000)
      .subarray(9_000)
      .some((byte) => byte !== 0),
  ).toBe(true);
  expect(random.bytes(0)).toHaveLength(0);
  expect(() => random.bytes(-1)).toThrow(RangeError);
  expect(() => random.bytes(1.5)).toThrow(RangeError);
});

test('the unit interval covers 0 to 1, without 1', () => {
  expect(unitInterval({ bytes: (count) => new Uint8Array(count) })).toBe(0);
  const top = unitInterval({ bytes: (count) => new Uint8Array(count).fill(255) });
  expect(top).toBeGreaterThan(0.999);
  expect(top).toBeLessThan(1);
});
