import { StatusList } from '@sd-jwt/jwt-status-list';
import { describe, expect, test } from 'vitest';
import { statusListEntries } from '../limits.ts';
import { StatusBitmap, statusOf } from './status-list.ts';
import { permuted } from './status-places.ts';

describe('places in a status list', () => {
  test('are each given once, and say nothing of the order in which they were given', () => {
    const seen = new Uint8Array(statusListEntries);
    let ascents = 0;
    let before = 0;
    for (let count = 0; count < 50_000; count += 1) {
      const place = permuted('a seed', count);
      expect(place).toBeLessThan(statusListEntries);
      seen[place] = (seen[place] ?? 0) + 1;
      if (place > before) ascents += 1;
      before = place;
    }
    expect(seen.every((times) => times <= 1)).toBe(true);
    expect(ascents).toBeGreaterThan(24_000);
    expect(ascents).toBeLessThan(26_000);
    expect(permuted('another seed', 7)).not.toBe(permuted('a seed', 7));
  });

  test('are read by an independent library as they were written', async () => {
    const bitmap = new StatusBitmap(64);
    const values = Array.from(
      { length: 64 },
      (_, at) => [statusOf.valid, statusOf.invalid, statusOf.suspended][at % 3] ?? 0,
    );
    for (const [at, value] of values.entries()) bitmap.set(at, value);
    bitmap.set(5, statusOf.invalid);
    bitmap.set(5, statusOf.valid);
    const read = StatusList.decompressStatusList(await bitmap.compressed(), 2);
    expect(values.map((_, at) => read.getStatus(at))).toEqual(
      values.map((value, at) => (at === 5 ? 0 : value)),
    );
    bitmap.fill(statusOf.suspended);
    const all = StatusList.decompressStatusList(await bitmap.compressed(), 2);
    expect(values.map((_, at) => all.getStatus(at))).toEqual(values.map(() => 2));
  });
});
