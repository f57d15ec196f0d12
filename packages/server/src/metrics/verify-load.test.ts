import { describe, expect, it } from 'vitest';
import { sampleBetween, type VerifyReading } from './verify-load.ts';

const reading = (buckets: number[], failed: number, activeMs: number, idleMs: number): VerifyReading => ({
  buckets: Float64Array.from(buckets),
  boundsSeconds: Float64Array.of(0.01, 0.05),
  failed,
  loop: { activeMs, idleMs },
});

describe('what came between two readings', () => {
  it('has the p99 of what was answered meanwhile, and the share of the time that was work', () => {
    const before = reading([1_000, 5, 0], 2, 100, 900);
    expect(sampleBetween(before, reading([1_098, 7, 0], 3, 190, 910))).toEqual({
      answered: 100,
      failed: 1,
      p99Ms: 50,
      busyShare: 0.9,
    });
    expect(sampleBetween(before, reading([1_098, 5, 2], 2, 100, 1_000))).toMatchObject({
      p99Ms: Number.POSITIVE_INFINITY,
      busyShare: 0,
    });
  });

  it('is nothing where nothing came', () => {
    const still = reading([3, 0, 0], 0, 5, 5);
    expect(sampleBetween(still, still)).toEqual({ answered: 0, failed: 0, p99Ms: 0, busyShare: 0 });
  });
});
